"""What every model of the registry offers, to training, evaluation and serving alike."""

import re
from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import torch
from PIL import Image
from torch import Tensor, nn

from scenescore_classifier.preprocessing import to_shares
from scenescore_shared.errors import ScenescoreError


class ModelError(ScenescoreError):
    """No such model, or it can't be used on this machine yet; the message says what to do."""

    code = "model_unavailable"


class Training(StrEnum):
    """How a model comes by its weights."""

    SCRATCH = "from scratch"
    FINE_TUNED = "fine-tuned from pretrained weights"
    HEAD = "head on frozen embeddings"
    ZERO_SHOT = "zero-shot: nothing but a temperature is trained"


@runtime_checkable
class Architecture(Protocol):
    """A picture becomes a tensor of one fixed shape on its own (`prepare`); a network makes logits of many.

    Where the backbone is frozen, `prepare` is the backbone and the tensor its embedding: nothing in a batch can
    change it, and training reads every picture once.
    """

    @property
    def name(self) -> str:
        """As in the registry."""

    @property
    def training(self) -> Training:
        """Says which learner trains it."""

    @property
    def prepared_shape(self) -> tuple[int, ...]:
        """Of one picture's tensor: (3, side, side), or (dimensions,) of an embedding."""

    def prepare(self, image: Image.Image) -> Tensor:
        """RGB picture of any size → uint8 pixels, or a float32 embedding, of `prepared_shape`.

        Threads may call it at once.
        """

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """An untrained network over `emotions`: `as_input` of n prepared pictures → logits (n, emotions).

        Initial weights come from `generator`, from seed 0 where there is none. With `pretrained`, those of the
        backbone are fetched. A keyword `dropout` of its `forward` takes a generator while it is trained.
        """


@runtime_checkable
class OnOwnBackbone(Protocol):
    """A model on a frozen backbone that users may teach themselves: a head fits the one that it was trained on."""

    def backbone_sha256(self) -> str:
        """Of the backbone's file, 64 hex digits. Raises ModelError where there is none, CheckpointError where it can't
        be read.
        """


@runtime_checkable
class NamesThings(Protocol):
    """A model whose embedding also has the logarithms of how likely it holds each of ImageNet's things (`imagenet`)."""

    @property
    def named(self) -> slice:
        """Where in the embedding they stand."""


def as_input(prepared: Tensor) -> Tensor:
    """What networks read: pixels (uint8) as shares of full brightness, embeddings as they are. Float32."""
    return to_shares(prepared) if prepared.dtype == torch.uint8 else prepared.to(torch.float32)


def file_stem(name: str) -> str:
    """The name that a model's files have: `timm:resnet18.a1_in1k` → `timm-resnet18.a1_in1k`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def optional_library(module: str, *, extra: str) -> Any:
    """The library that an optional model needs. Raises ModelError, naming the extra, where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ModelError(
            f"This model needs {module.split('.', maxsplit=1)[0]}, which can't be imported ({error}): "
            f"install it with pip install 'scenescore-classifier[{extra}]'."
        ) from error
