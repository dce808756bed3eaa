"""Weights on disk: back to the bit, never half written, and refused with a reason when something is wrong."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from scenescore_classifier import checkpoint
from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.models.thesis import AS_DESCRIBED, ThesisCNN

CARD_FILE, WEIGHTS_FILE = "thesis-relu.json", "thesis-relu.safetensors"
CARD = {"emotions": ["happy", "sad"], "temperature": 1.5}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path, AS_DESCRIBED, ThesisCNN(2), CARD)
    return tmp_path


def test_round_trip_to_the_bit(saved: Path) -> None:
    loaded = checkpoint.load(saved)
    model = ThesisCNN(2, torch.Generator().manual_seed(99))
    checkpoint.load_state(model, loaded.weights)
    original = ThesisCNN(2).state_dict()
    assert all(torch.equal(value, original[name]) for name, value in model.state_dict().items())
    assert loaded.emotions == ("happy", "sad")
    assert loaded.temperature == 1.5


def test_same_weights_make_the_same_file(tmp_path: Path) -> None:
    first, again = (checkpoint.save(tmp_path / name, AS_DESCRIBED, ThesisCNN(2), CARD) for name in ("a", "b"))
    assert first == again


def test_nothing_but_the_two_files_is_left(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [CARD_FILE, WEIGHTS_FILE]


def test_a_write_that_fails_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(_: int) -> None:
        raise OSError("no space left on device")

    before = (saved / WEIGHTS_FILE).read_bytes()
    monkeypatch.setattr("os.fsync", disk_full)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save(saved, AS_DESCRIBED, ThesisCNN(3), CARD)
    assert (saved / WEIGHTS_FILE).read_bytes() == before
    assert len(list(saved.iterdir())) == 2


@pytest.mark.parametrize("missing", [CARD_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(saved: Path, missing: str) -> None:
    (saved / missing).unlink()
    with pytest.raises(CheckpointError, match=missing):
        checkpoint.load(saved, AS_DESCRIBED)


def test_the_only_checkpoint_of_a_folder_needs_no_name(saved: Path) -> None:
    assert checkpoint.load(saved).architecture == AS_DESCRIBED
    checkpoint.save(saved, "timm:tiny/x", torch.nn.Linear(2, 2), CARD)
    with pytest.raises(CheckpointError, match="thesis-relu, timm-tiny-x"):
        checkpoint.load(saved)
    assert checkpoint.load(saved, "timm:tiny/x").weights["bias"].shape == (2,)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights"):
        checkpoint.load(tmp_path)


def test_weights_in_16_bits_take_half_the_room_and_load_in_32(saved: Path) -> None:
    whole = (saved / WEIGHTS_FILE).stat().st_size
    checkpoint.save(saved, AS_DESCRIBED, ThesisCNN(2), CARD, dtype=torch.float16)
    assert (saved / WEIGHTS_FILE).stat().st_size < 0.51 * whole
    model = ThesisCNN(2, torch.Generator().manual_seed(99))
    checkpoint.load_state(model, checkpoint.load(saved).weights)
    assert model.output.weight.dtype == torch.float32
    assert torch.equal(model.output.weight, ThesisCNN(2).output.weight.half().float())


def test_weights_in_64_bits_are_refused() -> None:
    weights = {name: value.double() for name, value in ThesisCNN(2).state_dict().items()}
    with pytest.raises(CheckpointError, match="16 or 32 bits"):
        checkpoint.load_state(ThesisCNN(2), weights)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:5000] + b"?" + data[5001:], lambda _: b""]
)
def test_damaged_weights_do_not_match_their_card(saved: Path, damage: Callable[[bytes], bytes]) -> None:
    path = saved / WEIGHTS_FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match="other weights"):
        checkpoint.load(saved)


def test_a_pickle_is_never_read(saved: Path) -> None:
    torch.save(ThesisCNN(2).state_dict(), saved / WEIGHTS_FILE)
    change_card(saved, sha256=sha256_of(saved / WEIGHTS_FILE))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": 3},
        {"architecture": None},
        {"emotions": None},
        {"emotions": ["happy"]},
        {"emotions": ["happy", "happy"]},
        {"emotions": ["happy", 2]},
        {"emotions": "happy"},
        {"temperature": 0},
        {"temperature": True},
        {"temperature": 1e-320},
        {"temperature": 10**400},
        {"temperature": float("nan")},
        {"temperature": "1"},
        {"sha256": None},
    ],
)
def test_cards_that_make_no_sense_are_refused(saved: Path, change: dict[str, Any]) -> None:
    change_card(saved, **change)
    with pytest.raises(CheckpointError, match=CARD_FILE):
        checkpoint.load(saved)


def test_a_card_of_another_model_is_refused(saved: Path) -> None:
    change_card(saved, architecture="mobilenet")
    with pytest.raises(CheckpointError, match=r"thesis-relu\.json is no card of a thesis-relu model"):
        checkpoint.load(saved, AS_DESCRIBED)


@pytest.mark.parametrize("text", ["", "{", "[]", "\ufeff{}", "null"])
def test_cards_that_are_no_json_object_are_refused(saved: Path, text: str) -> None:
    (saved / CARD_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match=CARD_FILE):
        checkpoint.load(saved)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_before_copying(value: float) -> None:
    model = ThesisCNN(2)
    before = model.output.bias.clone()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights["output.bias"][0] = 7
    weights["hidden.bias"][3] = value
    with pytest.raises(CheckpointError, match=r"hidden\.bias"):
        checkpoint.load_state(model, weights)
    assert torch.equal(model.output.bias, before)


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"output\.bias, output\.weight"):
        checkpoint.load_state(ThesisCNN(2), ThesisCNN(3).state_dict())


def test_missing_and_unknown_weights_are_refused() -> None:
    weights = dict(ThesisCNN(2).state_dict())
    weights["extra"] = weights.pop("hidden.bias")
    with pytest.raises(CheckpointError, match=r"extra, hidden\.bias"):
        checkpoint.load_state(ThesisCNN(2), weights)


def change_card(directory: Path, **changes: object) -> None:
    card = json.loads((directory / CARD_FILE).read_text(encoding="utf-8"))
    (directory / CARD_FILE).write_text(json.dumps({**card, **changes}), encoding="utf-8")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
