"""`mobilenet`: two frozen, quantised ImageNet MobileNets (Howard et al. 2017, Sandler et al. 2018) and a head.

The optional extra `mobilenet` (ai-edge-litert) runs the backbones, which the user pulls once. They
look at one picture at a time: nothing beside it changes its embedding.
"""

import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn

from scenescore_classifier.models.architecture import ModelError, Training, optional_library
from scenescore_classifier.models.backbone_files import BACKBONES, FOLDER, PULL, BackboneFile, missing
from scenescore_classifier.models.head import LinearHead
from scenescore_classifier.models.imagenet import CLASSES, UNLIKELY

NAME = "mobilenet"
SIDE = 224
MAP_SIDE = 7
"""Height and width in places of a backbone's last feature map."""

Pixels = NDArray[np.uint8]


class Interpreter(Protocol):
    """As much of LiteRT's interpreter as is used here."""

    def allocate_tensors(self) -> None: ...
    def get_output_details(self) -> list[dict[str, Any]]: ...
    def get_input_details(self) -> list[dict[str, Any]]: ...
    def get_tensor_details(self) -> list[dict[str, Any]]: ...
    def set_tensor(self, index: int, value: Pixels) -> None: ...
    def invoke(self) -> None: ...
    def get_tensor(self, index: int) -> NDArray[Any]: ...


class Backbone:
    """One network: a picture in, the mean over the places of its last feature map out, and how likely it holds each
    of the things that the network names, where it names any. One thread at a time.
    """

    def __init__(self, interpreter: Interpreter, channels: int) -> None:
        interpreter.allocate_tensors()
        self._interpreter = interpreter
        self._input: int = interpreter.get_input_details()[0]["index"]
        wanted = [1, MAP_SIDE, MAP_SIDE, channels]
        maps = [item for item in interpreter.get_tensor_details() if list(item["shape"]) == wanted]
        if not maps:
            raise ModelError(
                f"The backbone has no feature map of {MAP_SIDE}x{MAP_SIDE}x{channels}: pull it again ({PULL})."
            )
        last = max(maps, key=lambda item: int(item["index"]))  # after its ReLU6: tensors lie in order
        self._map: int = last["index"]
        self._scale, self._zero = last["quantization"]
        (named,) = interpreter.get_output_details()
        self._named = named if list(named["shape"]) == [1, CLASSES] else None

    def embed(self, picture: Pixels) -> NDArray[np.float32]:
        """uint8 (224, 224, 3) → float32 (channels,), each in [0, 6]."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        values = self._interpreter.get_tensor(self._map)[0].astype(np.int64)  # (7, 7, channels)
        # summed as integers, so in no order that could matter
        mean = values.sum(axis=(0, 1)) / MAP_SIDE**2 - self._zero
        embedding: NDArray[np.float32] = (mean * self._scale).astype(np.float32)
        return embedding

    def named(self) -> NDArray[np.float32]:
        """Of the picture that was embedded last: float32 (1001,), shares of 1; (0,) where it names nothing."""
        if self._named is None:
            return np.zeros(0, dtype=np.float32)
        scale, zero = self._named["quantization"]
        values = self._interpreter.get_tensor(self._named["index"])[0].astype(np.int64) - zero
        shares: NDArray[np.float32] = (values * scale).astype(np.float32)
        return shares


def open_interpreter(path: Path) -> Interpreter:
    """LiteRT's interpreter of that file, on one thread. Raises ModelError where LiteRT is not installed."""
    library = optional_library("ai_edge_litert.interpreter", extra="mobilenet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the memory that keeping inner layers takes: some 10 MB here
        interpreter: Interpreter = library.Interpreter(
            model_path=str(path),
            num_threads=1,
            experimental_preserve_all_tensors=True,  # the feature map is an inner layer
        )
    return interpreter


class MobileNets:
    """Both backbones side by side, each on the whole scene, squeezed, and on its middle square; then averaged.

    Behind their maps' means stand the logarithms of what v2 names: a police van or a cemetery tells more of a
    scene's emotion than any one channel, and too little of it is in the means for so few labels to find.
    """

    name = NAME
    training = Training.HEAD
    prepared_shape: tuple[int, ...] = (sum(file.channels for file in BACKBONES) + CLASSES,)
    named = slice(-CLASSES, None)

    def __init__(
        self, models_dir: Path | None, open_file: Callable[[Path], Interpreter] = open_interpreter
    ) -> None:
        self._models_dir = models_dir
        self._open_file = open_file
        self._of_thread = threading.local()  # an interpreter must not be shared by threads

    def prepare(self, image: Image.Image) -> Tensor:
        """float32 (3305,). Raises ModelError unless both backbones have been pulled."""
        backbones = self._backbones()
        maps, named = [], []
        for view in views(image):
            maps.append(np.concatenate([backbone.embed(view) for backbone in backbones]))
            named.append(np.concatenate([backbone.named() for backbone in backbones]))
        likely = np.log(np.mean(named, axis=0) + np.float32(UNLIKELY))
        return torch.from_numpy(np.concatenate([np.mean(maps, axis=0), likely]))

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """The head alone; the backbones are never trained."""
        return LinearHead(self.prepared_shape[0], len(emotions))

    def _backbones(self) -> list[Backbone]:
        kept: list[Backbone] | None = getattr(self._of_thread, "backbones", None)
        if kept is None:
            kept = [Backbone(self._open_file(self._found(file)), file.channels) for file in BACKBONES]
            self._of_thread.backbones = kept
        return kept

    def _found(self, file: BackboneFile) -> Path:
        if self._models_dir is None or file in missing(self._models_dir):
            raise ModelError(
                f"{NAME} needs its backbones, which are not here yet: fetch them once with {PULL}."
            )
        return self._models_dir / FOLDER / file.name


def views(image: Image.Image) -> list[Pixels]:
    """RGB picture of any size → the whole of it, squeezed, and its middle square: uint8 (224, 224, 3) each."""
    whole = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    middle = ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.BICUBIC)
    return [np.asarray(view, dtype=np.uint8) for view in (whole, middle)]
