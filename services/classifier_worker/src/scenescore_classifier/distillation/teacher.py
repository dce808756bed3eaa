"""MobileNet v2, quantised, as the teacher: its maps of a picture at three depths, its embedding, and what it names."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scenescore_classifier.models.backbone_files import PULL, V2
from scenescore_classifier.models.imagenet import CLASSES
from scenescore_classifier.models.mobilenet import Interpreter, open_interpreter
from scenescore_classifier.models.scene import EMBEDDING, MAPS
from scenescore_shared.errors import ScenescoreError

WEIGHTS_FILE = V2.name

ANOTHER_NETWORK = f"{WEIGHTS_FILE} is another network than expected: fetch it again with {PULL}."

RANGE = 6.0
"""ReLU6 ends there."""


class TeacherError(ScenescoreError):
    """There is no teacher, or it is another network than the one expected; the message says what to do."""

    code = "invalid_teacher"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the teacher makes of one picture."""

    maps: tuple[NDArray[np.int8], ...]
    """(28, 28, 32), (14, 14, 96) and (7, 7, 320): what its residual stages pass on, in its own quantised units."""
    embedding: NDArray[np.float32]
    """(1280,) in [0, 6]: the last map's mean over its places."""
    named: NDArray[np.uint8]
    """(1001,): how likely each thing is, in 256ths."""


class Teacher:
    """The quantised MobileNet v2 (Sandler et al. 2018) of google-coral/test_data, run by ai-edge-litert.

    `folder` holds WEIGHTS_FILE. Raises TeacherError where that is missing or not this network, and ModelError
    where the extra `mobilenet` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / WEIGHTS_FILE
        try:
            self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise TeacherError(f"{path} can't be read ({error.strerror}): fetch it with {PULL}.") from error
        self._interpreter = _opened(path)
        details = self._interpreter.get_tensor_details()
        self._maps = [_last_named(details, ("add", "project"), (1, side, side, n)) for side, n in MAPS]
        self._last = _last_named(details, ("relu6",), (1, 7, 7, EMBEDDING))
        self._input = int(self._interpreter.get_input_details()[0]["index"])
        (named,) = self._interpreter.get_output_details()
        if (list(named["shape"]), named["quantization"]) != ([1, CLASSES], (1 / 256, 0)):
            raise TeacherError(ANOTHER_NETWORK)
        self._named = int(named["index"])

    def show(self, picture: Image.Image) -> Lesson:
        """An RGB picture of 224x224 pixels → what the teacher makes of it."""
        self._interpreter.set_tensor(self._input, np.asarray(picture, dtype=np.uint8)[np.newaxis])
        self._interpreter.invoke()
        last = self._interpreter.get_tensor(self._last)[0].reshape(-1, EMBEDDING)
        shares = (last.astype(np.float32) + 128) / 255  # int8 over the range of ReLU6
        return Lesson(
            maps=tuple(self._interpreter.get_tensor(index)[0] for index in self._maps),
            embedding=(shares.mean(axis=0) * RANGE).astype(np.float32),
            named=self._interpreter.get_tensor(self._named)[0],
        )


def _opened(path: Path) -> Interpreter:
    try:
        interpreter = open_interpreter(path)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise TeacherError(f"{path} is damaged: fetch it again with {PULL} ({error}).") from error
    return interpreter


def _last_named(details: list[dict[str, Any]], words: tuple[str, ...], shape: tuple[int, ...]) -> int:
    """The index of the last tensor of a shape whose name has one of the words: what its stage passes on."""
    found = [
        int(item["index"])
        for item in details
        if tuple(item["shape"]) == shape and any(word in item["name"] for word in words)
    ]
    if not found:
        raise TeacherError(ANOTHER_NETWORK)
    return max(found)
