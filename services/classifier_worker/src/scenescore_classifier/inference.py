"""Pictures in, emotion probabilities out: what the worker calls."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scenescore_classifier import checkpoint
from scenescore_classifier.checkpoint import Checkpoint, CheckpointError
from scenescore_classifier.decoding import Decode, PictureDecoder
from scenescore_classifier.invariance import logits_of, prepared
from scenescore_classifier.models.architecture import Architecture, OnOwnBackbone, as_input
from scenescore_classifier.models.registry import DEFAULT, architecture
from scenescore_classifier.novelty import Novelty, statistics, towards_even
from scenescore_classifier.preprocessing import SIDE
from scenescore_shared.emotions import DEFAULT_EMOTIONS, Mix, normalise
from scenescore_shared.errors import InvalidPictureError
from scenescore_shared.running_models import RunningModel

SHIPPED_WEIGHTS = Path(__file__).parent / "weights"


class Classifier:
    """A network of the registry with trained weights, giving calibrated probabilities over the emotions in use.

    A picture gets the same mix alone and in any batch: see `invariance`.
    """

    def __init__(
        self,
        model: Architecture,
        trained: Checkpoint,
        *,
        emotions: Sequence[str],
        device: str = "cpu",
        decode: Decode | None = None,
    ) -> None:
        unknown = [emotion for emotion in emotions if emotion not in trained.emotions]
        if unknown or not emotions:
            raise CheckpointError(
                f"The classifier knows {', '.join(trained.emotions)}: name some of these, "
                f"not {', '.join(unknown) or 'none'}."
            )
        _check_backbone(model, trained)
        network = model.network(trained.emotions)
        checkpoint.load_state(network, trained.weights)
        self.name = f"{model.name}@{trained.sha256[:8]}"
        """Says in a job's provenance which model spoke: architecture, and the start of its weights' sha256."""
        self.running_model = RunningModel(
            name=self.name, version=version("scenescore-classifier"), sha256=trained.sha256
        )
        self._model = model
        self._network = prepared(network, device)
        self._emotions = tuple(emotions)
        self._columns = [trained.emotions.index(emotion) for emotion in emotions]
        self._temperature = trained.temperature
        self._novelty = Novelty.of_card(trained.card)
        self._decode = decode or PictureDecoder()

    @classmethod
    def load(
        cls,
        directory: Path | None = None,
        *,
        name: str | None = None,
        emotions: Sequence[str] = DEFAULT_EMOTIONS,
        device: str = "cpu",
        models_dir: Path | None = None,
        decode: Decode | None = None,
    ) -> Self:
        """The classifier whose weights and card are in `directory`; a shipped one where None.

        `name` says which architecture, where there is more than one; `models_dir` is where pulled backbones lie.
        `decode` turns files into pictures; by default, a `PictureDecoder` of its own does.

        Raises CheckpointError when weights or card are missing, damaged or of another model, or don't know
        `emotions`, and ModelError when the model's library or backbone is not on this machine.
        """
        trained = checkpoint.load(directory or SHIPPED_WEIGHTS, name or (None if directory else DEFAULT))
        model = architecture(trained.architecture, models_dir=models_dir, device=device)
        return cls(model, trained, emotions=emotions, device=device, decode=decode)

    def warm_up(self) -> None:
        """A file's whole way, so that the first job doesn't wait for the libraries to set up."""
        file = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE)).save(file, "JPEG")
        self.classify([file.getvalue()])

    def classify(self, pictures: Sequence[bytes]) -> list[Mix | InvalidPictureError]:
        """For each picture file, in order, its mix of the emotions in use, or the error that says what is wrong
        with it. The decoder is a few pictures ahead while they are prepared for the network.
        """
        read = [
            self._seen(decoded) if isinstance(decoded, Image.Image) else decoded
            for decoded in self._decode(pictures)
        ]
        seen = [item for item in read if isinstance(item, _Seen)]
        mixes = iter(self.mixes([item.prepared for item in seen], [item.scene_share for item in seen]))
        return [next(mixes) if isinstance(item, _Seen) else item for item in read]

    def mixes(self, tensors: Sequence[Tensor], scene_shares: Sequence[float] | None = None) -> list[Mix]:
        """A mix for each picture that the architecture has prepared; of each only its scene share in [0, 1] stands
        (by default all of it), and the rest is even.
        """
        if not tensors:
            return []
        batch = as_input(torch.stack(list(tensors)))  # (n, …)
        logits = logits_of(self._network, batch)[:, self._columns]  # (n, emotions in use)
        # softmax over some logits is softmax over all, renormalised, but can't lose them all to rounding
        rows = (logits / self._temperature).softmax(dim=1).numpy()
        if scene_shares is not None:
            rows = towards_even(rows, np.array(scene_shares))
        return [
            normalise(dict(zip(self._emotions, row, strict=True)), self._emotions) for row in rows.tolist()
        ]

    def _seen(self, image: Image.Image) -> "_Seen":
        share = (
            1.0 if self._novelty is None else float(self._novelty.scene_shares(statistics(image)[None])[0])
        )
        return _Seen(self._model.prepare(image), share)


@dataclass(frozen=True)
class _Seen:
    """A picture that has been looked at."""

    prepared: Tensor
    scene_share: float
    """How much of the network's answer stands, in [0, 1]."""


def _check_backbone(model: Architecture, trained: Checkpoint) -> None:
    """Raises CheckpointError where the weights are a head that was trained on another backbone: its answers would be
    wrong without a word.
    """
    taught_on = trained.card.get("backbone_sha256")
    if taught_on is None or not isinstance(model, OnOwnBackbone) or model.backbone_sha256() == taught_on:
        return
    raise CheckpointError(
        f"These weights of {model.name} are a head on another backbone than the one here: train a head on it "
        f"(python -m scenescore_classifier.train FOLDER --out DIR --model {model.name}), or take it out of the models."
    )
