"""Embeddings kept on disk: a run that goes on need not ask a slow backbone again."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scenescore_classifier.checkpoint import write_atomically

Prepare = Callable[[Image.Image], Tensor]


def fingerprint(prepare: Prepare) -> str:
    """Eight digits of what `prepare` makes of one fixed picture: others for another backbone, or other views."""
    ramp = Image.linear_gradient("L")
    picture = Image.merge("RGB", (ramp, Image.radial_gradient("L"), ramp.rotate(90)))
    return hashlib.sha256(prepare(picture).numpy().tobytes()).hexdigest()[:8]


def remembered(prepare: Prepare, folder: Path) -> Prepare:
    """`prepare`, asked once for each picture, its tensors kept in `folder`: one folder for each `fingerprint`."""

    def prepare_once(image: Image.Image) -> Tensor:
        size = f"{image.width}x{image.height} ".encode()
        path = folder / f"{hashlib.sha256(size + image.tobytes()).hexdigest()}.npy"
        try:
            return torch.from_numpy(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError):
            prepared = prepare(image)
        data = io.BytesIO()
        np.save(data, prepared.numpy(), allow_pickle=False)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data.getvalue())
        return prepared

    return prepare_once
