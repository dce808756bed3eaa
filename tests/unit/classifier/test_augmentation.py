"""Variation of training pictures: within the thesis's bounds, each picture on its own, decided by the generator."""

import torch

from scenescore_classifier.augmentation import augment, random_maps


def test_shape_and_range_are_kept() -> None:
    pictures = torch.rand(4, 3, 20, 30)
    varied = augment(pictures, torch.Generator().manual_seed(0))
    assert varied.shape == pictures.shape
    assert float(pictures.min()) <= float(varied.min()) < float(varied.max()) <= float(pictures.max())


def test_the_generator_decides() -> None:
    pictures = torch.rand(4, 3, 20, 30)
    first, again, other = (augment(pictures, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_each_picture_is_varied_on_its_own() -> None:
    twins = torch.rand(1, 3, 20, 30).repeat(2, 1, 1, 1)
    one, other = augment(twins, torch.Generator().manual_seed(0))
    assert not torch.equal(one, other)


def test_maps_stay_within_the_thesis_s_bounds() -> None:
    maps = random_maps(2000, torch.Generator().manual_seed(0))
    zoom_x, shear_times_zoom, zoom_y_cosine = maps[:, 0, 0].abs(), maps[:, 0, 1], maps[:, 1, 1]
    assert 0.8 <= float(zoom_x.min()) < 0.81
    assert 1.19 < float(zoom_x.max()) <= 1.2
    assert float((shear_times_zoom / zoom_y_cosine).atan().abs().max()) <= 0.2
    assert 0.45 < float((maps[:, 0, 0] < 0).float().mean()) < 0.55  # half of them mirrored
    assert bool((maps[:, :, 2] == 0).all())  # none shifted


def test_an_even_picture_stays_as_it_is() -> None:
    even = torch.full((3, 3, 16, 16), 0.25)
    assert torch.allclose(augment(even, torch.Generator()), even)
