"""Training a GAN: to the same bits, resumed or not; damaged checkpoints refused."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.gan import state
from scenescore_classifier.gan.training import Form, Settings, draw_batch, fit_side
from scenescore_classifier.gan.workshop import train_in

PIXELS = torch.randint(0, 256, (5, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def small(form: Form = "wgan", seed: int = 1) -> Settings:
    return Settings(form=form, seed=seed, batch=6, critic_steps=2, width=16)


def tensors_in(folder: Path) -> dict[str, Tensor]:
    training, _, _ = state.load(folder)
    return state._tensors(training)


@pytest.mark.parametrize("form", ["wgan", "wgan-gp"])
def test_a_resumed_training_ends_in_the_same_bits(tmp_path: Path, form: Form) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_in(whole, "sad", PIXELS, small(form), steps=3, every=9)
    for steps in (1, 3):
        train_in(parts, "sad", PIXELS, small(form), steps=steps, every=9)
    expected, found = tensors_in(whole), tensors_in(parts)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert state.load(whole)[2] == state.load(parts)[2]


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    one, two = (
        train_in(tmp_path / str(seed), "sad", PIXELS, small(seed=seed), steps=1, every=1) for seed in (1, 2)
    )
    assert not torch.equal(one.generator.start.weight, two.generator.start.weight)


def test_clipping_holds_the_critic_and_spares_the_generator(tmp_path: Path) -> None:
    training = train_in(tmp_path, "sad", PIXELS, small(), steps=1, every=1)
    assert all(float(value.detach().abs().max()) <= 0.01 + 1e-9 for value in training.critic.parameters())
    assert float(training.generator.start.weight.detach().abs().max()) > 0.01


def test_a_training_leaves_one_pair_of_files_its_grids_and_its_curve(tmp_path: Path) -> None:
    train_in(tmp_path, "sad", PIXELS, small(), steps=2, every=1)
    names = {path.name for path in tmp_path.iterdir()}
    pictures = {"grid-0000001.png", "grid-0000002.png"}
    assert names - {"curve.png"} == {"gan.json", "gan-0000002.safetensors", "curve.json", *pictures}
    assert [point["step"] for point in json.loads((tmp_path / "curve.json").read_text())] == [1, 2]


def test_other_settings_or_pictures_do_not_go_on_with_a_training(tmp_path: Path) -> None:
    train_in(tmp_path, "sad", PIXELS, small(), steps=1, every=1)
    with pytest.raises(CheckpointError, match="other pictures or settings"):
        train_in(tmp_path, "sad", PIXELS, small(seed=2), steps=2, every=1)
    with pytest.raises(CheckpointError, match="other pictures or settings"):
        train_in(tmp_path, "sad", PIXELS[:4], small(), steps=2, every=1)


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    train_in(tmp_path, "sad", PIXELS, small(), steps=1, every=1)
    weights, card = tmp_path / "gan-0000001.safetensors", tmp_path / "gan.json"
    whole = card.read_text()
    for change in ({"weights": "../other.safetensors"}, {"settings": {"side": 7}}, {"curve": [[1]]}):
        card.write_text(json.dumps({**json.loads(whole), **change}))
        with pytest.raises(CheckpointError, match="damaged"):
            state.load(tmp_path)
    card.write_text(whole)
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="other weights"):
        state.load(tmp_path)
    card.unlink()
    with pytest.raises(CheckpointError, match="train a GAN there first"):
        state.load(tmp_path)


def test_batches_repeat_pictures_only_where_there_are_too_few() -> None:
    levels = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(8, 3, 2, 2)
    chance = torch.Generator().manual_seed(0)
    assert len(set(draw_batch(levels, 8, chance)[:, 0, 0, 0].tolist())) == 8
    assert draw_batch(levels[:3], 8, chance).shape == (8, 3, 2, 2)


def test_pictures_are_shrunk_without_changing_their_mean() -> None:
    flat = torch.full((1, 3, 150, 150), 77, dtype=torch.uint8)
    assert set(fit_side(flat, 64).flatten().tolist()) == {77}
