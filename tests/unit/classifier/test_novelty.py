"""What is no scene gets even probabilities; what is one keeps its own, and their order."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_images

from scenescore_classifier import checkpoint, no_scenes, novelty
from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.thesis import AS_DESCRIBED, ThesisCNN
from scenescore_classifier.novelty import Noting, Novelty, statistics, towards_even
from scenescore_shared.emotions import ALL_EMOTIONS

PHOTOGRAPHS = [Image.fromarray(pixels) for pixels in load_sample_images().images]


def crops(count: int, seed: int) -> list[Image.Image]:
    """Parts of scikit-learn's two photographs."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(count):
        photograph = PHOTOGRAPHS[number % 2]
        left, top = int(generator.integers(0, 300)), int(generator.integers(0, 200))
        found.append(photograph.crop((left, top, left + 320, top + 220)))
    return found


@pytest.fixture(scope="module")
def learnt() -> Novelty:
    found = novelty.fit(np.stack([statistics(picture) for picture in crops(120, 0)]))
    assert found is not None
    return found


def shares(learnt: Novelty, pictures: list[Image.Image]) -> list[float]:
    return list(learnt.scene_shares(np.stack([statistics(picture) for picture in pictures])))


@pytest.mark.parametrize("kind", list(no_scenes.KINDS))
def test_no_kind_of_what_is_no_scene_passes(learnt: Novelty, kind: str) -> None:
    assert float(np.mean(shares(learnt, no_scenes.draw(kind, 4, seed=1)))) < 0.35


def test_photographs_pass(learnt: Novelty) -> None:
    assert float(np.mean([share == 1 for share in shares(learnt, crops(40, 1))])) > 0.8


def test_the_shipped_one_knows_photographs_and_pages() -> None:
    shipped = Novelty.of_card(
        json.loads((checkpoint_folder() / "thesis-relu.json").read_text(encoding="utf-8"))
    )
    assert shipped is not None
    blurred = PHOTOGRAPHS[0].filter(ImageFilter.GaussianBlur(2))
    small = PHOTOGRAPHS[1].resize((160, 100))
    assert shares(shipped, [*PHOTOGRAPHS, blurred, small]) == [1, 1, 1, 1]
    for kind in no_scenes.KINDS:
        assert float(np.mean(shares(shipped, no_scenes.draw(kind, 6, seed=2)))) < 0.35


def checkpoint_folder() -> Path:
    return Path(novelty.__file__).parent / "weights"


def test_the_same_seed_draws_the_same_and_another_others() -> None:
    for kind in no_scenes.KINDS:
        first, again, other = (no_scenes.draw(kind, 2, seed)[1].tobytes() for seed in (3, 3, 4))
        assert first == again != other


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (40, 900)])
def test_statistics_are_finite_whatever_the_size(size: tuple[int, int]) -> None:
    found = statistics(Image.new("RGB", size, "red"))
    assert found.shape == (len(novelty.STATISTICS),)
    assert bool(np.isfinite(found).all())


def test_limits_are_the_quantile_of_what_was_learnt(learnt: Novelty) -> None:
    away = learnt.distances(np.stack([statistics(picture) for picture in crops(120, 0)]))
    assert float(np.mean(away <= 1)) == pytest.approx(novelty.QUANTILE, abs=0.011)
    assert learnt.scene_shares(learnt.mean[None]).tolist() == [1]


def test_few_pictures_teach_no_limits() -> None:
    assert novelty.fit(np.zeros((99, 12))) is None


def test_answers_keep_their_order() -> None:
    mixed = towards_even(np.array([[0.7, 0.2, 0.1]] * 3), np.array([1, 0.5, 0]))
    np.testing.assert_allclose(mixed, [[0.7, 0.2, 0.1], [0.5167, 0.2667, 0.2167], [1 / 3] * 3], atol=1e-4)


def test_a_card_gives_back_what_it_was_given(learnt: Novelty) -> None:
    again = Novelty.of_card({"novelty": json.loads(json.dumps(learnt.as_card()))})
    assert again is not None
    rows = np.stack([statistics(picture) for picture in crops(10, 2)])
    np.testing.assert_allclose(again.distances(rows), learnt.distances(rows), rtol=1e-3)
    assert Novelty.of_card({}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"mean": [0.0]},
        {"precision": 3},
        {"limit": 0},
        {"limit": "far"},
        {"statistics": ["other"]},
        {"mean": [float("nan")] * 12},
    ],
)
def test_a_card_that_makes_no_sense_is_refused(learnt: Novelty, change: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="novelty"):
        Novelty.of_card({"novelty": {**learnt.as_card(), **change}})


def test_served_answers_are_even_where_there_is_no_scene(learnt: Novelty, tmp_path: Path) -> None:
    card = {"emotions": list(ALL_EMOTIONS), "temperature": 0.01}
    checkpoint.save(tmp_path / "with", AS_DESCRIBED, ThesisCNN(4), {**card, "novelty": learnt.as_card()})
    checkpoint.save(tmp_path / "without", AS_DESCRIBED, ThesisCNN(4), card)
    usual = next(picture for picture in crops(40, 1) if shares(learnt, [picture]) == [1])
    files = [png(no_scenes.draw("window", 1, seed=1)[0]), png(usual)]
    guarded = Classifier.load(tmp_path / "with").classify(files)
    bare = Classifier.load(tmp_path / "without").classify(files)
    assert isinstance(guarded[0], dict)
    assert max(guarded[0].values()) < 0.35
    assert isinstance(bare[0], dict)
    assert max(bare[0].values()) > 0.36
    assert guarded[1] == bare[1]
    assert guarded == [Classifier.load(tmp_path / "with").classify([file])[0] for file in files]


def test_statistics_are_noted_of_what_could_be_prepared() -> None:
    def prepare(image: Image.Image) -> Any:
        if image.width == 1:
            raise ValueError("too small")
        return image.size

    noting: Callable[[Image.Image], Any] = Noting(prepare)
    noting(PHOTOGRAPHS[0])
    with pytest.raises(ValueError, match="too small"):
        noting(Image.new("RGB", (1, 1)))
    noting(PHOTOGRAPHS[1])
    assert isinstance(noting, Noting)
    np.testing.assert_array_equal(noting.rows, [statistics(picture) for picture in PHOTOGRAPHS])


def png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
