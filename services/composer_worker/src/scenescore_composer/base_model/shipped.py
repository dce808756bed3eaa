"""The base model that ships with the package, or one of your own."""

import hashlib
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from scenescore_composer.model import TokenLstm, load_model

_VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class BaseModel:
    model: TokenLstm
    version: str
    """As "base@1c0ffee0d00d": the file's name and the beginning of its SHA-256."""


def load_base(path: Path | None = None) -> BaseModel:
    """The model of that file; the one that ships where there is none.

    Raises ModelFileError when the file holds no model that this code can use.
    """
    if path is None:
        with as_file(files("scenescore_composer") / "weights" / "base.safetensors") as shipped:
            return load_base(shipped)
    model = load_model(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_VERSION_LENGTH]
    return BaseModel(model, f"{path.stem}@{digest}")
