"""Photographs to learn from: which files are some, and what those feel like that somebody looked at."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from samples.embeddings import GivenEmbeddings
from sklearn.linear_model import Ridge

from scenescore_classifier.data import DatasetError
from scenescore_classifier.models.scene_backbone import Scene
from scenescore_classifier.training import photographs as training_photographs
from scenescore_classifier.training.directions import known_directions
from scenescore_classifier.training.photographs import Looked, look_at
from scenescore_classifier.training.rated import PENALTY, Judged, RatedPhotographs
from scenescore_classifier.training.regression import CHEAP

HEADER = "sha256,happy,angry,sad,calm\n"


def width(image: Image.Image) -> torch.Tensor:
    return torch.tensor([float(image.width)])


def test_files_that_are_no_photographs_to_learn_from_are_named(
    photographs: Path, monkeypatch: pytest.MonkeyPatch, paint: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(training_photographs, "LEAST", 5)
    (photographs / "far" / "again.jpg").write_bytes(paint(100))
    (photographs / "far" / "folder.jpg").mkdir()
    known = hashlib.sha256(paint(101)).hexdigest()  # 1.jpg, a picture of the data set
    prepares = [width, lambda image: -width(image)]
    found, skipped = look_at(photographs, prepares, leave_out=["left"], known=[known])
    reasons = {item.file: item.reason for item in skipped}
    assert reasons.keys() == {"far/1.jpg", "far/folder.jpg", "far/torn.jpg", "near/0.jpg"}
    assert reasons["far/torn.jpg"] == reasons["far/folder.jpg"] == "can't be read as a picture"
    assert reasons["far/1.jpg"] == reasons["near/0.jpg"] == "a picture of the data set, or there before"
    own, other = found.prepared
    assert own.tolist() == [[200.0]] * 5
    assert other.tolist() == [[-200.0]] * 5
    assert set(found.sha256) == {
        hashlib.sha256(paint(100 + number)).hexdigest() for number in (0, 3, 4, 6, 7)
    }
    more, _ = look_at(photographs, [width])
    assert more.fingerprint != found.fingerprint
    with pytest.raises(DatasetError, match="has 3 photographs to learn from: give a folder with 5 or more"):
        look_at(photographs / "near", [width])


def test_only_those_asked_for_are_prepared(
    photographs: Path, monkeypatch: pytest.MonkeyPatch, paint: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(training_photographs, "LEAST", 2)
    wanted = {hashlib.sha256(paint(number)).hexdigest() for number in (103, 107)}
    found, skipped = look_at(photographs, [width], only=wanted)
    assert set(found.sha256) == wanted
    assert found.prepared[0].shape == (2, 1)
    assert skipped == []
    with pytest.raises(DatasetError, match="has 0 photographs to learn from"):
        look_at(photographs, [width], only=["0" * 64])


def test_ratings_of_photographs_are_shares(tmp_path: Path) -> None:
    table = tmp_path / "rated.csv"
    table.write_text(f"{HEADER}{'A' * 64},1,0,0,3\n {'b' * 64} ,0,2.5,2.5,0\n", encoding="utf-8-sig")
    rated = RatedPhotographs.read(table)
    assert rated.shares["a" * 64].tolist() == [0.25, 0, 0, 0.75]
    prepared = torch.tensor([[1.0], [2.0]])
    judged = rated.of(Looked([], ["c" * 64, "b" * 64]), prepared)
    assert judged.prepared.tolist() == [[2.0]]
    assert judged.shares.tolist() == [[0, 0.5, 0.5, 0]]
    other = RatedPhotographs({"c" * 64: judged.shares[0]}).of(Looked([], ["c" * 64, "b" * 64]), prepared)
    assert other.shares.tolist() == judged.shares.tolist()
    assert other.fingerprint != judged.fingerprint  # of which photographs, too


def test_a_table_of_other_photographs_is_noticed_at_once(
    photographs: Path, paint: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (photographs / "far" / "folder.jpg").mkdir()
    (photographs / "far" / "gone.jpg").symlink_to("nowhere")
    read_bytes = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "torn.jpg":
            raise PermissionError(self)
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    some = [hashlib.sha256(paint(number)).hexdigest() for number in (100, 101, 102)]  # 102 lies in left
    rated = RatedPhotographs(dict.fromkeys(some, np.full(4, 0.25)))
    monkeypatch.setattr(training_photographs, "LEAST", 2)
    rated.require_enough(photographs, ["left"])
    monkeypatch.setattr(training_photographs, "LEAST", 3)
    with pytest.raises(DatasetError, match=r"Only 2 of the photographs in .* are rated: rate 3 or more"):
        rated.require_enough(photographs, ["left"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sha256,happy,sad\n", "lacks the columns angry, calm"),
        (
            f"{HEADER}{'a' * 64},1,0,0,1\n{'b' * 64},1,x,0,0\n",
            "line 3: happy, angry, sad, calm must be numbers",
        ),
        (f"{HEADER}{'a' * 64},0,0,0,0\n", "line 2"),
        (f"{HEADER}{'a' * 64},2,-1,0,0\n", "line 2"),
        (f"{HEADER}{'a' * 64},nan,1,0,0\n", "line 2"),
        (f"{HEADER}{'a' * 64},1\n", "line 2"),
        ("happy,angry,sad,calm,sha256\n1,0,0,0\n", "line 2: sha256 must be the 64 hex digits"),
        (f"{HEADER}{'g' * 64},1,0,0,0\n", "line 2: sha256 must be the 64 hex digits"),
        (f"{HEADER}{'a' * 64},1,0,0,0\n{'A' * 64},1,0,0,0\n", "line 3: a+ stands there twice"),
        (f'{HEADER}"{"a" * 200_000}",1,1,1,1\n', "can't be read as a table of ratings"),
    ],
)
def test_what_is_no_table_of_ratings_is_said(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "rated.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=said):
        RatedPhotographs.read(table)
    with pytest.raises(DatasetError, match="can't be read"):
        RatedPhotographs.read(tmp_path)


def test_the_directions_of_ratings_are_scikit_learn_s() -> None:
    generator = np.random.default_rng(0)
    embeddings = generator.normal(size=(300, 9)) * np.linspace(1, 30, 9)
    embeddings[:, -1] = 2
    shares = generator.dirichlet([4, 1, 2, 1], 300)
    weights = (shares / shares.mean(axis=0)).mean(axis=1)
    mean = np.average(embeddings, axis=0, weights=weights)
    scale = np.sqrt(np.average((embeddings - mean) ** 2, axis=0, weights=weights))
    scale[-1] = 1
    reference = Ridge(PENALTY).fit((embeddings - mean) / scale, shares, sample_weight=weights)
    found = Judged(torch.from_numpy(embeddings), shares, "f00").slopes()
    np.testing.assert_allclose(found, (reference.coef_ / scale).T, rtol=1e-6, atol=1e-12)


def test_one_photograph_does_not_stand_for_an_emotion_alone() -> None:
    generator = np.random.default_rng(2)
    embeddings = torch.from_numpy(generator.normal(size=(400, 5)))
    shares = np.column_stack([generator.dirichlet([1, 1], 400), np.zeros((400, 2))])
    usual = Judged(embeddings, shares, "f00").slopes()
    stray = shares.copy()
    stray[7] = shares[7] * 0.99 + [0, 0, 0.01, 0]
    found = Judged(embeddings, stray, "f00").slopes()
    np.testing.assert_allclose(found[:, :2], usual[:, :2], atol=0.02 * np.abs(usual).max())
    assert not usual[:, 2:].any()


def test_directions_of_names_and_of_ratings_stand_beside_each_other() -> None:
    generator = np.random.default_rng(1)
    prepared = torch.from_numpy(generator.normal(size=(20, *Scene(None).prepared_shape))).float()
    judged = Judged(prepared, generator.dirichlet([1, 1, 1, 1], 20), "f00")
    both, names = known_directions(Scene(None), judged), known_directions(Scene(None))
    assert both is not None
    assert names is not None
    np.testing.assert_array_equal(both.values, np.hstack([names.values, judged.slopes()]))
    facts = {
        "rated_photographs": 20,
        "rated_photographs_fingerprint": "f00",
        "rated_photographs_penalty": PENALTY,
        "rated_photographs_weighed": "as much by each emotion",
    }
    assert both.description == {**names.description, **facts}
    few = replace(judged, prepared=prepared[:, :4])
    alone = known_directions(GivenEmbeddings(4), few)
    assert alone is not None
    np.testing.assert_array_equal(alone.values, few.slopes())
    assert alone.description == {"times_more_in_embedding": CHEAP, **facts}
