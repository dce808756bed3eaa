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

from scenescore_classifier.model import NAME
from scenescore_shared.errors import ScenescoreError

WEIGHTS_FILE = f"{NAME}.safetensors"
CARD_FILE = f"{NAME}.json"


_TEMPERATURES = (1e-3, 1e3)
"""Beyond these a softmax is one emotion or none; the command fits within 0.1 to 100."""


class CheckpointError(ScenescoreError):
    """The weights or their card are missing, damaged, or not of this model."""

    code = "invalid_checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what their card promises of them."""

    weights: Mapping[str, Tensor]
    card: Mapping[str, Any]
    sha256: str
    """Of the weights file, 64 hex digits."""

    @property
    def emotions(self) -> tuple[str, ...]:
        """What the outputs stand for, in the order of the logits."""
        return tuple(self.card["emotions"])

    @property
    def temperature(self) -> float:
        """What logits are divided by before the softmax (Guo et al. 2017)."""
        return float(self.card["temperature"])


def save(directory: Path, model: nn.Module, card: Mapping[str, Any]) -> str:
    """Write weights and card into `directory`; returns the weights' sha256, which the card gains.

    Each file appears whole or not at all. A crash between the two leaves a card of other weights, which
    `load` refuses.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data = serialise_safetensors(
        {name: value.contiguous().cpu() for name, value in model.state_dict().items()}
    )
    sha256 = hashlib.sha256(data).hexdigest()
    full_card = {"architecture": NAME, "sha256": sha256, **card}
    write_atomically(directory / WEIGHTS_FILE, data)
    write_atomically(
        directory / CARD_FILE, (json.dumps(full_card, indent=2, ensure_ascii=False) + "\n").encode()
    )
    return sha256


def load(directory: Path) -> Checkpoint:
    """The checkpoint in `directory`. Raises CheckpointError, which says what is wrong with it."""
    data = _read(directory / WEIGHTS_FILE)
    card = _parse_card(directory / CARD_FILE)
    sha256 = hashlib.sha256(data).hexdigest()
    if card["sha256"] != sha256:
        raise CheckpointError(
            f"{CARD_FILE} in {directory} describes other weights: restore both files from one training run."
        )
    try:
        weights = parse_safetensors(data)
    except SafetensorError as error:
        raise CheckpointError(f"{WEIGHTS_FILE} in {directory} is damaged: restore it ({error}).") from error
    return Checkpoint(weights, card, sha256)


def load_state(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy `weights` into `model`.

    Raises CheckpointError, before anything is copied, unless names and shapes are the model's and all values
    are finite float32.
    """
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    if expected != given:
        odd = sorted(name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name))
        raise CheckpointError(f"The weights are not of this model: {', '.join(odd)} differ.")
    foreign = sorted(name for name, value in weights.items() if value.dtype != torch.float32)
    if foreign:
        raise CheckpointError(
            f"The weights must be 32-bit floating-point numbers; {', '.join(foreign)} are not."
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
    if not isinstance(card, dict) or card.get("architecture") != NAME:
        raise CheckpointError(f"{path} is no card of a {NAME} model.")
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
