"""A training on disk: networks, optimisers and chance in safetensors, the rest in a JSON card. No pickle.

The card names its weights file and that file's sha256, and is replaced last: a crash at any moment leaves the
last whole pair.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as serialise_safetensors
from torch import Tensor

from scenescore_classifier.checkpoint import CheckpointError, write_atomically
from scenescore_classifier.gan.networks import SIDES
from scenescore_classifier.gan.training import FORMS, Point, Settings, Training

CARD_FILE = "gan.json"
ARCHITECTURE = "thesis-wgan"
_CHANCE = "chance"


@dataclass(frozen=True)
class Origin:
    """What the pictures were that a GAN learnt from."""

    emotion: str
    pictures: int
    fingerprint: str
    """sha256 over the pixels: a resumed training must go on with the same pictures."""


def fingerprint_of(pixels: Tensor) -> str:
    """sha256 over pixels, uint8, and their shape: 64 hex digits."""
    shape = json.dumps(list(pixels.shape)).encode()
    return hashlib.sha256(shape + pixels.contiguous().numpy().tobytes()).hexdigest()


def save(folder: Path, training: Training, origin: Origin) -> str:
    """Write the training into `folder` and remove older weights there; returns the weights' sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    data = serialise_safetensors(_tensors(training))
    sha256 = hashlib.sha256(data).hexdigest()
    weights = folder / f"gan-{training.step:07d}.safetensors"
    card = {
        "architecture": ARCHITECTURE,
        "weights": weights.name,
        "sha256": sha256,
        "origin": asdict(origin),
        "settings": asdict(training.settings),
        "step": training.step,
        "seconds": round(training.seconds, 3),
        "curve": [[point.step, point.generator_loss, point.wasserstein] for point in training.curve],
    }
    write_atomically(weights, data)
    write_atomically(folder / CARD_FILE, (json.dumps(card) + "\n").encode())
    for old in folder.glob("gan-*.safetensors"):
        if old != weights:
            old.unlink()
    return sha256


def load(folder: Path, device: str = "cpu") -> tuple[Training, Origin, str]:
    """The training in `folder`, what it learnt from, and its weights' sha256.

    Raises CheckpointError when there is none, or it is damaged.
    """
    card = _read_card(folder / CARD_FILE)
    try:
        settings, origin = Settings(**card["settings"]), Origin(**card["origin"])
        name, sha256, step, seconds = (
            str(card["weights"]), str(card["sha256"]), int(card["step"]), float(card["seconds"])
        )  # fmt: skip
        curve = [Point(int(row[0]), float(row[1]), float(row[2])) for row in card["curve"]]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CheckpointError(f"{folder / CARD_FILE} is damaged: restore it or train anew.") from error
    if settings.form not in FORMS or settings.side not in SIDES or Path(name).name != name:
        raise CheckpointError(f"{folder / CARD_FILE} is damaged: restore it or train anew.")
    training = Training.begin(settings, device)
    tensors = _read_weights(folder / name, sha256)
    try:
        _restore(training, tensors)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{folder / name} is not of this network: train anew.") from error
    training.step, training.seconds, training.curve = step, seconds, curve
    return training, origin, sha256


def _tensors(training: Training) -> dict[str, Tensor]:
    found = {_CHANCE: training.chance.get_state()}
    for part, network in (("generator", training.generator), ("critic", training.critic)):
        found |= {f"{part}.{name}": value for name, value in network.state_dict().items()}
    for part, optimiser in _optimisers(training):
        for place, values in optimiser.state_dict()["state"].items():
            found |= {f"{part}.{place}.{name}": torch.as_tensor(value) for name, value in values.items()}
    return {name: value.detach().contiguous().cpu() for name, value in found.items()}


def _restore(training: Training, tensors: Mapping[str, Tensor]) -> None:
    for part, network in (("generator", training.generator), ("critic", training.critic)):
        network.load_state_dict(_below(tensors, part))
    for part, optimiser in _optimisers(training):
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(tensors, part).items():
            place, _, key = name.partition(".")
            state.setdefault(int(place), {})[key] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    training.chance.set_state(tensors[_CHANCE])


def _optimisers(training: Training) -> tuple[tuple[str, torch.optim.Optimizer], ...]:
    return (
        ("generator_optimiser", training.generator_optimiser),
        ("critic_optimiser", training.critic_optimiser),
    )


def _below(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    return {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: train a GAN there first ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is no JSON: restore it or train anew.") from error
    if not isinstance(card, dict) or card.get("architecture") != ARCHITECTURE:
        raise CheckpointError(f"{path} is no card of a {ARCHITECTURE}.")
    return card


def _read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError(f"{path} holds other weights than its card says: restore both or train anew.")
    try:
        tensors: dict[str, Tensor] = parse_safetensors(data)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged: restore it or train anew ({error}).") from error
    return tensors
