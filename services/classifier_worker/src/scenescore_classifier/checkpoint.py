"""Weights on disk: a safetensors file and, beside it, a JSON card that says what they are.

Nothing is ever unpickled.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as serialise_safetensors
from torch import Tensor, nn

from scenescore_classifier.models.architecture import file_stem
from scenescore_shared.errors import ScenescoreError

WEIGHTS_SUFFIX = ".safetensors"
CARD_SUFFIX = ".json"


_TEMPERATURES = (1e-3, 1e3)
"""Beyond these a softmax is one emotion or none; the command fits within 0.1 to 100."""


class CheckpointError(ScenescoreError):
    """The weights or their card are missing, damaged, or not of the card's model."""

    code = "invalid_checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what their card promises of them."""

    weights: Mapping[str, Tensor]
    card: Mapping[str, Any]
    sha256: str
    """Of the weights file, 64 hex digits."""

    @property
    def architecture(self) -> str:
        """Its name in the registry."""
        return str(self.card["architecture"])

    @property
    def emotions(self) -> tuple[str, ...]:
        """What the outputs stand for, in the order of the logits."""
        return tuple(self.card["emotions"])

    @property
    def temperature(self) -> float:
        """What logits are divided by before the softmax (Guo et al. 2017)."""
        return float(self.card["temperature"])


def save(
    directory: Path,
    architecture: str,
    model: nn.Module,
    card: Mapping[str, Any],
    *,
    dtype: torch.dtype | None = None,
) -> str:
    """Write weights and card into `directory`; returns the weights' sha256, which the card gains.

    Both files have the architecture's name. With `dtype` float16, weights take half the room. Each file appears
    whole or not at all. A crash between the two leaves a card of other weights, which `load` refuses.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data = serialise_safetensors(
        {
            name: (value.to(dtype) if dtype and value.is_floating_point() else value).contiguous().cpu()
            for name, value in model.state_dict().items()
        }
    )
    sha256 = hashlib.sha256(data).hexdigest()
    full_card = {"architecture": architecture, "sha256": sha256, **card}
    stem = file_stem(architecture)
    write_atomically(directory / f"{stem}{WEIGHTS_SUFFIX}", data)
    write_atomically(
        directory / f"{stem}{CARD_SUFFIX}",
        (json.dumps(full_card, indent=2, ensure_ascii=False) + "\n").encode(),
    )
    return sha256


def load(directory: Path, architecture: str | None = None) -> Checkpoint:
    """The checkpoint of that architecture in `directory`, or the only one there is.

    Raises CheckpointError, which says what is wrong with it.
    """
    stem = file_stem(architecture) if architecture else _only_stem(directory)
    weights_file, card_file = directory / f"{stem}{WEIGHTS_SUFFIX}", directory / f"{stem}{CARD_SUFFIX}"
    data = _read(weights_file)
    card = _parse_card(card_file)
    if architecture and card["architecture"] != architecture:
        raise CheckpointError(f"{card_file} is no card of a {architecture} model.")
    sha256 = hashlib.sha256(data).hexdigest()
    if card["sha256"] != sha256:
        raise CheckpointError(
            f"{card_file.name} in {directory} describes other weights: restore both files from one training run."
        )
    try:
        weights = parse_safetensors(data)
    except SafetensorError as error:
        raise CheckpointError(
            f"{weights_file.name} in {directory} is damaged: restore it ({error})."
        ) from error
    return Checkpoint(weights, card, sha256)


def load_state(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy `weights` into `model`.

    Numbers of 16 bits become the model's own. Raises CheckpointError, before anything is copied, unless names and
    shapes are the model's and all values are finite floating-point numbers of 16 or 32 bits, or whole ones where
    the model counts.
    """
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    if expected != given:
        odd = sorted(name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name))
        raise CheckpointError(f"The weights are not of this model: {', '.join(odd)} differ.")
    own = {name: value.dtype for name, value in model.state_dict().items()}
    foreign = sorted(
        name
        for name, value in weights.items()
        if value.dtype not in {own[name], torch.float16, torch.float32}
    )
    if foreign:
        raise CheckpointError(
            f"The weights must be floating-point numbers of 16 or 32 bits; {', '.join(foreign)} are not."
        )
    broken = sorted(name for name, value in weights.items() if not bool(torch.isfinite(value).all()))
    if broken:
        raise CheckpointError(f"The weights hold values that are no finite numbers, in {', '.join(broken)}.")
    model.load_state_dict(dict(weights))


def write_atomically(path: Path, data: bytes) -> None:
    """`path` holds all of `data`, or what it held before: never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp makes it private; weights are for the service's user to read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _only_stem(directory: Path) -> str:
    stems = sorted(
        path.stem for path in directory.glob(f"*{WEIGHTS_SUFFIX}") if not path.name.startswith(".")
    )
    if not stems:
        raise CheckpointError(
            f"{directory} has no weights (*{WEIGHTS_SUFFIX}): name a folder that training wrote."
        )
    if len(stems) > 1:
        raise CheckpointError(
            f"{directory} has weights of {', '.join(stems)}: keep those of one model in it."
        )
    return stems[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: {error.strerror}.") from error


def _parse_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is no JSON: restore it ({error}).") from error
    if not isinstance(card, dict) or not isinstance(card.get("architecture"), str):
        raise CheckpointError(f"{path} is no card: it must name an architecture.")
    if not _are_names(card.get("emotions")):
        raise CheckpointError(f"{path} must name at least two different emotions.")
    temperature, (low, high) = card.get("temperature"), _TEMPERATURES
    if (
        isinstance(temperature, bool)
        or not isinstance(temperature, int | float)
        or not low <= temperature <= high
    ):
        raise CheckpointError(f"{path} must give a temperature between {low:g} and {high:g}.")
    if not isinstance(card.get("sha256"), str):
        raise CheckpointError(f"{path} must give the sha256 of the weights.")
    return card


def _are_names(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(name, str) for name in value)
        and len(set(value)) == len(value) > 1
    )
