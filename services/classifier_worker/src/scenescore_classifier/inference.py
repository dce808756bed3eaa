"""Pictures in, emotion probabilities out: what the worker calls."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor

from scenescore_classifier import checkpoint
from scenescore_classifier.checkpoint import Checkpoint, CheckpointError
from scenescore_classifier.models.architecture import Architecture, as_input
from scenescore_classifier.models.registry import DEFAULT, architecture
from scenescore_classifier.preprocessing import decode
from scenescore_shared.emotions import DEFAULT_EMOTIONS, Mix, normalise
from scenescore_shared.errors import InvalidPictureError

SHIPPED_WEIGHTS = Path(__file__).parent / "weights"


class Classifier:
    """A network of the registry with trained weights, giving calibrated probabilities over the emotions in use.

    It computes in 64 bits, where a picture's neighbours in a batch move its probabilities by some 1e-16, not by
    the 1e-7 of 32 bits: rounded to three decimals, they are the same alone and in any batch. Frozen backbones
    look at one picture at a time, which no neighbour can move.
    """

    def __init__(
        self, model: Architecture, trained: Checkpoint, *, emotions: Sequence[str], device: str = "cpu"
    ) -> None:
        unknown = [emotion for emotion in emotions if emotion not in trained.emotions]
        if unknown or not emotions:
            raise CheckpointError(
                f"The classifier knows {', '.join(trained.emotions)}: name some of these, "
                f"not {', '.join(unknown) or 'none'}."
            )
        network = model.network(trained.emotions)
        checkpoint.load_state(network, trained.weights)
        self.name = f"{model.name}@{trained.sha256[:8]}"
        """Says in a job's provenance which model spoke: architecture, and the start of its weights' sha256."""
        self._model = model
        self._network = network.double().eval().to(device)
        self._emotions = tuple(emotions)
        self._columns = [trained.emotions.index(emotion) for emotion in emotions]
        self._temperature = trained.temperature
        self._device = device

    @classmethod
    def load(
        cls,
        directory: Path | None = None,
        *,
        name: str | None = None,
        emotions: Sequence[str] = DEFAULT_EMOTIONS,
        device: str = "cpu",
        models_dir: Path | None = None,
    ) -> Self:
        """The classifier whose weights and card are in `directory`; a shipped one where None.

        `name` says which architecture, where there is more than one; `models_dir` is where pulled backbones lie.

        Raises CheckpointError when weights or card are missing, damaged or of another model, or don't know
        `emotions`, and ModelError when the model's library or backbone is not on this machine.
        """
        trained = checkpoint.load(directory or SHIPPED_WEIGHTS, name or (None if directory else DEFAULT))
        model = architecture(trained.architecture, models_dir=models_dir, device=device)
        return cls(model, trained, emotions=emotions, device=device)

    def warm_up(self) -> None:
        """One pass over a black picture, so that the first job doesn't wait for the libraries to set up."""
        self.mixes([self._model.prepare(Image.new("RGB", (2, 2)))])

    def classify(self, pictures: Sequence[bytes]) -> list[Mix | InvalidPictureError]:
        """For each picture file, in order, its mix of the emotions in use, or the error that says what is wrong
        with it. One forward pass for all that can be read; with the thesis's model some 15 MB of memory a picture.
        """
        read = [self.read(data) for data in pictures]
        mixes = iter(self.mixes([item for item in read if isinstance(item, Tensor)]))
        return [next(mixes) if isinstance(item, Tensor) else item for item in read]

    def read(self, data: bytes) -> Tensor | InvalidPictureError:
        """A picture file as the model's input, or what is wrong with it. Threads may call it at once."""
        try:
            return self._model.prepare(decode(data))
        except InvalidPictureError as error:
            return error

    def mixes(self, prepared: Sequence[Tensor]) -> list[Mix]:
        """A mix for each of the tensors that `read` gave: one forward pass."""
        if not prepared:
            return []
        batch = as_input(torch.stack(list(prepared))).double().to(self._device)  # (n, …)
        with torch.inference_mode():
            logits = self._network(batch)[:, self._columns] / self._temperature  # (n, emotions in use)
            # softmax over some logits is softmax over all, renormalised, but can't lose them all to rounding
            rows = logits.softmax(dim=1).tolist()
        return [normalise(dict(zip(self._emotions, row, strict=True)), self._emotions) for row in rows]
