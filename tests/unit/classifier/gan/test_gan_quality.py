"""Figures of generated pictures, checked where the answer is known."""

import numpy as np
import pytest
import torch

from scenescore_classifier.gan.pictures import grid
from scenescore_classifier.gan.quality import (
    NamedFeatures,
    frechet_distance,
    measure,
    nearest,
    pixel_features,
    thesis_features,
)


def test_the_distance_of_normals_along_the_axes_is_the_formula_of_the_paper() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 3))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T  # covariance exactly 1
    scaled = rows * [2.0, 3.0, 1.0] + [1.0, 0.0, 0.0]
    assert frechet_distance(rows, scaled) == pytest.approx(1 + (2 - 1) ** 2 + (3 - 1) ** 2)
    assert frechet_distance(scaled, rows) == pytest.approx(6)


def test_a_set_is_at_no_distance_from_itself_even_with_fewer_rows_than_values() -> None:
    rows = np.random.default_rng(0).normal(size=(10, 64))
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-6)


def test_nearest_neighbours_pass_over_the_picture_itself() -> None:
    points = np.array([[0.0], [1.0], [5.0]])
    places, distances = nearest(points, points, without=np.arange(3)[:, None])
    assert places.tolist() == [1, 0, 1]
    np.testing.assert_allclose(distances, [1, 1, 4])


def test_copies_are_found_mirrored_or_not() -> None:
    real = torch.randint(
        0, 256, (8, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    made = torch.cat([real[:2], real[2:4].flip(3)])
    figures, pairs = measure(
        real, made, NamedFeatures("corner", lambda pixels: pixel_features(pixels[:, :, :2, :2])), seed=0
    )
    assert figures["nearest"]["pixels"]["made_to_real"]["median"] == pytest.approx(0, abs=1e-3)
    assert figures["nearest"]["pixels"]["real_to_other_real"]["least"] > 0.2
    assert torch.equal(pairs[0::2], pairs[1::2])
    assert set(figures["frechet"]) == {"made", "floor", "splits"}


def test_the_shipped_classifiers_features_are_its_hidden_layer() -> None:
    pixels = torch.randint(
        0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    features = thesis_features()
    values = features.of(pixels)
    assert values.shape == (2, 64)
    assert (values >= 0).all()
    assert values.any()
    assert features.name.startswith("thesis-relu@")


def test_a_grid_places_pictures_row_by_row() -> None:
    levels = torch.arange(1, 4, dtype=torch.uint8)[:, None, None, None].expand(3, 3, 1, 1)
    assert grid(levels, columns=2)[0].tolist() == [[1, 2], [3, 0]]
