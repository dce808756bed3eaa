"""Today's augmentation: seeded, within range, each picture on its own, and targets that follow the pictures."""

import pytest
import torch
from torch import Tensor

from scenescore_classifier import augmentation_today as today
from scenescore_classifier import mixing
from scenescore_classifier.augmentation import augment
from scenescore_classifier.augmentation_policies import POLICIES, UnknownPolicyError, policy
from scenescore_classifier.mixing import Mixture, mix_some, soft_labels, unmixed

STEPS = [today.crop_and_flip, today.jitter_colours, today.grey_some, today.blur_some, today.erase_some]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 40, *, rows: int = 20, columns: int = 24) -> Tensor:
    return torch.rand((count, 3, rows, columns), generator=seeded(7))


@pytest.mark.parametrize("name", list(POLICIES))
def test_policies_keep_shape_and_range_and_follow_the_generator(name: str) -> None:
    chosen, batch = policy(name), torch.cat([pictures(), torch.ones(4, 3, 20, 24), torch.zeros(4, 3, 20, 24)])
    before = batch.clone()
    results = []
    for seed in (1, 1, 2):
        generator = seeded(seed)
        varied, _ = chosen.mix(chosen.vary(batch, generator), generator)
        assert varied.shape == batch.shape
        assert 0 <= float(varied.min()) <= float(varied.max()) <= 1
        results.append(varied)
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(batch, before)


def test_global_chance_decides_nothing() -> None:
    torch.manual_seed(0)
    first = mix_some(POLICIES["today"].vary(pictures(), seeded()), seeded())[0]
    torch.manual_seed(1)
    assert torch.equal(first, mix_some(POLICIES["today"].vary(pictures(), seeded()), seeded())[0])


def test_thesis_is_the_thesis_s() -> None:
    batch = pictures(8)
    varied = policy("thesis").vary(batch, seeded())
    assert torch.equal(varied, augment(batch, seeded()))
    same, mixture = policy("thesis").mix(varied, seeded())
    assert torch.equal(same, varied)
    assert torch.equal(mixture.of(torch.eye(8)), torch.eye(8))


def test_unknown_policies_are_named() -> None:
    with pytest.raises(UnknownPolicyError, match="'tomorrow': choose from thesis, today"):
        policy("tomorrow")


@pytest.mark.parametrize("step", STEPS)
def test_twins_are_varied_apart_and_single_pixels_pass(step: object) -> None:
    assert callable(step)
    twins = pictures(1).repeat(60, 1, 1, 1)
    varied = step(twins, seeded())
    assert len({picture.numpy().tobytes() for picture in varied}) > 1
    assert step(pictures(2, rows=1, columns=1), seeded()).shape == (2, 3, 1, 1)


def test_crops_show_at_least_the_least_area() -> None:
    # a slope from 0 to 1 across: its spread tells the width of the crop, its direction whether it is mirrored
    slope = torch.linspace(0, 1, 200).expand(300, 3, 8, 200).contiguous()
    cropped = today.crop_and_flip(slope, seeded())[:, 0, 4]
    widths = (cropped[:, -1] - cropped[:, 0]).abs()
    least = (today.CROP_AREA[0] * today.CROP_ASPECT[0]) ** 0.5
    assert least - 0.02 < float(widths.min()) < least + 0.1
    assert float(widths.max()) <= 1
    assert 0.4 < float((cropped[:, 0] > cropped[:, -1]).float().mean()) < 0.6


def test_hue_leaves_grey_and_brightness_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIGHTNESS", "CONTRAST", "SATURATION"):
        monkeypatch.setattr(today, name, 0.0)
    grey = torch.rand(30, 1, 4, 4, generator=seeded()).expand(30, 3, 4, 4)
    assert torch.allclose(today.jitter_colours(grey, seeded()), grey, atol=1e-5)
    coloured = 0.4 + 0.2 * pictures(30)
    turned = today.jitter_colours(coloured, seeded())
    assert torch.allclose(today.to_grey(turned), today.to_grey(coloured), atol=1e-5)
    assert not torch.allclose(turned, coloured, atol=1e-3)


def test_saturation_and_contrast_move_as_far_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIGHTNESS", "CONTRAST", "HUE"):
        monkeypatch.setattr(today, name, 0.0)
    red = torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1).expand(500, 3, 2, 2)
    grey = today.to_grey(red)
    factors = ((today.jitter_colours(red, seeded()) - grey) / (red - grey))[:, 0, 0, 0]
    assert 0.8 <= float(factors.min()) + 1e-5 < 0.82
    assert 1.18 < float(factors.max()) - 1e-5 <= 1.2


def test_some_pictures_turn_grey() -> None:
    greyed = today.grey_some(pictures(2000, rows=2, columns=2), seeded())
    share = (greyed.std(dim=1).amax(dim=(1, 2)) < 1e-6).float().mean()
    assert abs(float(share) - today.GREY_PROBABILITY) < 0.02


def test_blur_smooths_and_keeps_even_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(today, "BLUR_PROBABILITY", 1.0)
    noise = pictures(30)
    variation = noise.diff(dim=3).abs().mean(dim=(1, 2, 3))
    assert bool(
        (today.blur_some(noise, seeded()).diff(dim=3).abs().mean(dim=(1, 2, 3)) <= variation + 1e-6).all()
    )
    even = torch.full((5, 3, 9, 9), 0.3)
    assert torch.allclose(today.blur_some(even, seeded()), even, atol=1e-6)


def test_erased_rectangles_have_the_areas_asked_for() -> None:
    batch = torch.full((1500, 1, 40, 40), 2.0)  # a value that noise never has
    hidden = (today.erase_some(batch, seeded()) != 2).float().mean(dim=(1, 2, 3))
    assert abs(float((hidden > 0).float().mean()) - today.ERASING_PROBABILITY) < 0.04
    assert float(hidden.max()) < today.ERASING_AREA[1] + 0.02
    assert 0 < float(hidden[hidden > 0].min()) < 0.04


def test_targets_follow_the_pictures() -> None:
    # each picture is one even value, so that its mean tells what share of which picture it holds
    values = torch.linspace(0, 1, 400)
    batch = values.view(-1, 1, 1, 1).expand(-1, 3, 30, 30)
    mixed, mixture = mix_some(batch, seeded())
    assert torch.allclose(mixed.mean(dim=(1, 2, 3)), mixture.of(values), atol=1e-5)
    shares = mixture.of(soft_labels(torch.arange(400) % 4, 4))
    assert torch.allclose(shares.sum(dim=1), torch.ones(400))
    assert 0.4 < float((mixture.shares == 1).float().mean()) < 0.6
    spread = mixed.amax(dim=(1, 2, 3)) - mixed.amin(dim=(1, 2, 3))
    assert 0.15 < float((spread > 1e-3).float().mean()) < 0.3  # CutMix shows two values, mixup one


def test_unknown_targets_stay_unknown_and_spread_no_further() -> None:
    nan = float("nan")
    targets = torch.tensor([[nan, 1.0], [0.5, 0.0], [0.0, 0.0]])
    mixed = Mixture(torch.tensor([1, 0, 0]), torch.tensor([0.5, 0.5, 1.0])).of(targets)
    assert torch.allclose(mixed, torch.tensor([[nan, 0.5], [nan, 0.5], [0.0, 0.0]]), equal_nan=True)
    assert torch.allclose(unmixed(targets).of(targets), targets, equal_nan=True)


def test_pictures_without_a_label_have_no_share() -> None:
    assert soft_labels(torch.tensor([1, -1, 0]), 2).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_shares_come_from_the_papers_distributions() -> None:
    drawn = mixing._beta(mixing.MIXUP_ALPHA, 20_000, seeded())
    # the variance of Beta(a, a) is 1 / (8 a + 4)
    assert abs(float(drawn.var()) - 1 / (8 * mixing.MIXUP_ALPHA + 4)) < 0.005
    assert abs(float(drawn.mean()) - 0.5) < 0.01
