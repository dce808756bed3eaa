"""Pictures in, emotion probabilities out: what the worker calls."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from scenescore_classifier import checkpoint
from scenescore_classifier.checkpoint import Checkpoint, CheckpointError
from scenescore_classifier.model import NAME, ThesisCNN
from scenescore_classifier.preprocessing import SIDE, decode, to_tensor
from scenescore_shared.emotions import DEFAULT_EMOTIONS, Mix, normalise
from scenescore_shared.errors import InvalidPictureError

SHIPPED_WEIGHTS = Path(__file__).parent / "weights"


class Classifier:
    """The thesis's CNN with trained weights, giving calibrated probabilities over the emotions in use.

    It computes in 64 bits, where a picture's neighbours in a batch move its probabilities by some 1e-16, not by
    the 1e-7 of 32 bits: rounded to three decimals, they are the same alone and in any batch. The network is
    small enough for that: some 30 ms a picture on one core, twice the time of 32 bits.
    """

    def __init__(self, trained: Checkpoint, *, emotions: Sequence[str], device: str = "cpu") -> None:
        unknown = [emotion for emotion in emotions if emotion not in trained.emotions]
        if unknown or not emotions:
            raise CheckpointError(
                f"The classifier knows {', '.join(trained.emotions)}: name some of these, "
                f"not {', '.join(unknown) or 'none'}."
            )
        model = ThesisCNN(len(trained.emotions))
        checkpoint.load_state(model, trained.weights)
        self.name = f"{NAME}@{trained.sha256[:8]}"
        """Says in a job's provenance which model spoke: architecture, and the start of its weights' sha256."""
        self._model = model.double().to(device)
        self._emotions = tuple(emotions)
        self._columns = [trained.emotions.index(emotion) for emotion in emotions]
        self._temperature = trained.temperature
        self._device = device

    @classmethod
    def load(
        cls,
        directory: Path | None = None,
        *,
        emotions: Sequence[str] = DEFAULT_EMOTIONS,
        device: str = "cpu",
    ) -> Self:
        """The classifier whose weights and card are in `directory`; the shipped one where None.

        Raises CheckpointError when they are missing, damaged or of another model, or don't know `emotions`.
        """
        trained = checkpoint.load(directory or SHIPPED_WEIGHTS)
        return cls(trained, emotions=emotions, device=device)

    def warm_up(self) -> None:
        """One pass over a black picture, so that the first job doesn't wait for the libraries to set up."""
        self._forward([torch.zeros(3, SIDE, SIDE)])

    def classify(self, pictures: Sequence[bytes]) -> list[Mix | InvalidPictureError]:
        """For each picture file, in order, its mix of the emotions in use, or the error that says what is wrong
        with it. One forward pass for all that can be read; it takes some 15 MB of memory a picture.
        """
        read = [_tensor_or_error(data) for data in pictures]
        mixes = iter(self._forward([item for item in read if isinstance(item, Tensor)]))
        return [next(mixes) if isinstance(item, Tensor) else item for item in read]

    def _forward(self, tensors: Sequence[Tensor]) -> list[Mix]:
        """A mix for each float32 (3, 150, 150)."""
        if not tensors:
            return []
        batch = torch.stack(list(tensors)).double().to(self._device)  # (n, 3, 150, 150)
        with torch.inference_mode():
            logits = self._model(batch)[:, self._columns] / self._temperature  # (n, emotions in use)
            # softmax over some logits is softmax over all, renormalised, but can't lose them all to rounding
            rows = logits.softmax(dim=1).tolist()
        return [normalise(dict(zip(self._emotions, row, strict=True)), self._emotions) for row in rows]


def _tensor_or_error(data: bytes) -> Tensor | InvalidPictureError:
    try:
        return to_tensor(decode(data))
    except InvalidPictureError as error:
        return error
