"""`scene`: the product's own network, taught by distillation, as a frozen backbone under a head."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from scenescore_classifier.checkpoint import CheckpointError, write_atomically
from scenescore_classifier.invariance import prepared
from scenescore_classifier.models.architecture import ModelError, Training
from scenescore_classifier.models.head import LinearHead
from scenescore_classifier.models.imagenet import CLASSES
from scenescore_classifier.models.scene import DESCRIPTOR, SIDE, SceneCNN
from scenescore_classifier.preprocessing import to_pixels, to_shares

NAME = "scene"
BACKBONE_FILE = "scene-backbone.safetensors"
CORNER = 0.7
"""Share of a picture's width and height that the view of a corner shows."""

TEACH = "python -m scenescore_classifier.distillation"

SHIPPED = Path(__file__).parents[1] / "weights"
"""Where a backbone that comes with the package lies, as BACKBONE_FILE, beside its head and card."""


def save_backbone(path: Path, network: SceneCNN, facts: Mapping[str, Any]) -> None:
    """Write the weights as float16 (half the room; three digits, which the embedding can spare)."""
    tensors = {
        name: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for name, value in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, serialise_tensors(tensors, metadata={"facts": json.dumps(facts)}))


def load_backbone(path: Path) -> SceneCNN:
    """The network with the weights in `path`. Raises CheckpointError where they are unusable."""
    try:
        kept = parse_tensors(_read(path))
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged: restore it ({error}).") from error
    network = SceneCNN()
    expected = network.state_dict()
    if {name: value.shape for name, value in expected.items()} != {n: v.shape for n, v in kept.items()}:
        raise CheckpointError(f"{path} holds the weights of another network: run the distillation again.")
    if not all(bool(torch.isfinite(value).all()) for value in kept.values()):
        raise CheckpointError(f"{path} holds values that are no finite numbers.")
    widened: dict[str, Tensor] = {name: value.to(expected[name].dtype) for name, value in kept.items()}
    network.load_state_dict(widened)
    return network


def backbone_sha256(path: Path) -> str:
    """Of the file, 64 hex digits. Raises CheckpointError where it can't be read."""
    return hashlib.sha256(_read(path)).hexdigest()


class Scene:
    """The network's descriptors of some views of the scene, averaged (see `views`).

    `models_dir` holds scene/BACKBONE_FILE, as distillation left it; without one, the shipped backbone serves.
    """

    name = NAME
    training = Training.HEAD
    prepared_shape: tuple[int, ...] = (DESCRIPTOR,)
    named = slice(-CLASSES, None)

    def __init__(self, models_dir: Path | None, device: str = "cpu") -> None:
        self._models_dir = models_dir
        self._device = device

    def prepare(self, image: Image.Image) -> Tensor:
        """float32 (3529,). Raises ModelError where there is no backbone, CheckpointError where it is damaged."""
        pixels = to_shares(views(image))
        place = next(self._network.parameters())
        with torch.inference_mode():
            descriptor: Tensor = self._network.describe(pixels.to(place.device, place.dtype)).mean(dim=0)
        return descriptor.to("cpu", torch.float32)

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """The head alone: the backbone has been taught without labels."""
        return LinearHead(DESCRIPTOR, len(emotions))

    def backbone_sha256(self) -> str:
        """As `OnOwnBackbone` says."""
        return backbone_sha256(self._backbone)

    @cached_property
    def _network(self) -> SceneCNN:
        network = load_backbone(self._backbone)
        prepared(network, self._device)
        return network

    @property
    def _backbone(self) -> Path:
        path = backbone_path(self._models_dir)
        if path is None:
            raise ModelError(
                f"{NAME} needs its backbone, which is not here yet: teach it once with {TEACH}, and put its "
                f"{BACKBONE_FILE} into the folder {NAME} of the models."
            )
        return path


def views(image: Image.Image) -> Tensor:
    """uint8 (6, 3, 112, 112): the whole picture and its four corners, squeezed.

    The corners show what is too small in the whole. The whole is there mirrored, too, and the right corners are only
    mirrored, so that a mirrored picture gives the same views.
    """
    width, height = image.size
    w, h = max(1, round(CORNER * width)), max(1, round(CORNER * height))
    whole = to_pixels(image, SIDE)
    lefts, rights = (
        [to_pixels(image.crop((x, y, x + w, y + h)), SIDE) for y in (0, height - h)] for x in (0, width - w)
    )
    return torch.stack([whole, *lefts, *(view.flip(2) for view in (whole, *rights))])


def backbone_path(models_dir: Path | None, shipped: Path = SHIPPED) -> Path | None:
    """Where the backbone lies: one of the user's own, or else the shipped one; None where there is neither."""
    own = (models_dir / NAME / BACKBONE_FILE,) if models_dir else ()
    return next((path for path in (*own, shipped / BACKBONE_FILE) if path.is_file()), None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: {error.strerror}.") from error
