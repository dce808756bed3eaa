"""A model on a frozen backbone of which nothing is asked but its head: its embeddings are given."""

from collections.abc import Sequence

import torch
from PIL import Image

from scenescore_classifier.models.architecture import Training
from scenescore_classifier.models.head import LinearHead


class GivenEmbeddings:
    """An architecture of embeddings (dimensions,)."""

    training = Training.HEAD

    def __init__(self, dimensions: int, name: str = "embeddings") -> None:
        self.name = name
        self.prepared_shape: tuple[int, ...] = (dimensions,)

    def prepare(self, image: Image.Image) -> torch.Tensor:
        raise NotImplementedError

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> torch.nn.Module:
        return LinearHead(self.prepared_shape[0], len(emotions))
