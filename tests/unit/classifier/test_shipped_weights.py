"""The weights in the package: whole, those of their card, and described with the card's own figures."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from samples.embeddings import GivenEmbeddings

from scenescore_classifier import checkpoint
from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.inference import SHIPPED_WEIGHTS, Classifier
from scenescore_classifier.models.head import LinearHead
from scenescore_classifier.models.registry import architecture
from scenescore_classifier.models.scene import SceneCNN
from scenescore_classifier.models.scene_backbone import BACKBONE_FILE, save_backbone
from scenescore_classifier.training.card import backbone_of
from scenescore_classifier.training.directions import known_directions
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.rated import Judged
from scenescore_shared.emotions import ALL_EMOTIONS, DEFAULT_EMOTIONS

CARD_FILE, WEIGHTS_FILE = "thesis-relu.json", "thesis-relu.safetensors"
CARD = json.loads((SHIPPED_WEIGHTS / CARD_FILE).read_text(encoding="utf-8"))
MODEL_CARD = (SHIPPED_WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_the_card_is_of_these_weights() -> None:
    assert CARD["sha256"] == hashlib.sha256((SHIPPED_WEIGHTS / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert tuple(CARD["emotions"]) == ALL_EMOTIONS


@pytest.mark.parametrize("name", ["scene", "thesis-relu"])
def test_they_load_and_answer(paint: Callable[..., bytes], name: str) -> None:
    classifier = Classifier.load(name=name)
    assert classifier.name == f"{name}@{checkpoint.load(SHIPPED_WEIGHTS, name).sha256[:8]}"
    (mix,) = classifier.classify([paint()])
    assert isinstance(mix, dict)
    assert tuple(mix) == DEFAULT_EMOTIONS


def test_a_shipped_head_is_refused_on_a_backbone_of_one_s_own(tmp_path: Path) -> None:
    own = tmp_path / "scene" / BACKBONE_FILE
    save_backbone(own, SceneCNN(torch.Generator().manual_seed(1)), {})
    with pytest.raises(CheckpointError, match=r"head on another backbone.*--model scene"):
        Classifier.load(name="scene", models_dir=tmp_path)
    shutil.copy(SHIPPED_WEIGHTS / BACKBONE_FILE, own)
    assert Classifier.load(name="scene", models_dir=tmp_path).name.startswith("scene@")


def test_a_card_names_the_backbone_that_its_head_fits() -> None:
    shipped = checkpoint.load(SHIPPED_WEIGHTS, "scene").card["backbone_sha256"]
    assert backbone_of(architecture("scene")) == {"backbone_sha256": shipped}
    assert backbone_of(architecture("colours")) == {}


def test_they_are_small() -> None:
    assert (SHIPPED_WEIGHTS / WEIGHTS_FILE).stat().st_size < 300_000


@pytest.mark.parametrize("part", ["all_emotions", "default_emotions"])
@pytest.mark.parametrize("figure", ["accuracy", "balanced_accuracy", "brier_score", "log_loss"])
def test_the_model_card_quotes_the_measured_figures(part: str, figure: str) -> None:
    measured = CARD["metrics"][part][figure]
    low, high = measured["interval_95"]
    assert f"{measured['value']:.3f} ({low:.3f} to {high:.3f})" in MODEL_CARD


def test_the_model_card_names_data_and_command() -> None:
    assert CARD["training"]["command"] in MODEL_CARD
    assert CARD["data"]["fingerprint"] in MODEL_CARD
    assert "Kurdi" in CARD["data"]["citation"]
    assert "Kurdi" in MODEL_CARD


def test_the_shipped_head_of_mobilenet_is_small_and_of_its_card() -> None:
    trained = checkpoint.load(SHIPPED_WEIGHTS, "mobilenet")
    assert trained.emotions == ALL_EMOTIONS
    assert (SHIPPED_WEIGHTS / "mobilenet.safetensors").stat().st_size < 85_000
    head = LinearHead(3305, len(ALL_EMOTIONS))
    checkpoint.load_state(head, trained.weights)
    assert bool((head.scale > 0).all())


@pytest.mark.parametrize("name", ["scene", "mobilenet"])
def test_the_model_card_of_a_head_quotes_the_measured_figures(name: str) -> None:
    text = (SHIPPED_WEIGHTS / f"{name.upper()}_CARD.md").read_text(encoding="utf-8")
    card = checkpoint.load(SHIPPED_WEIGHTS, name).card
    for figure in ("accuracy", "balanced_accuracy", "brier_score", "log_loss"):
        for part in ("all_emotions", "default_emotions"):
            measured = card["metrics"][part][figure]
            low, high = measured["interval_95"]
            assert f"{measured['value']:.3f} ± {measured['spread']:.3f} ({low:.3f} to {high:.3f})" in text
    assert card["training"]["command"] in text
    assert card["sha256"] in text
    assert card["data"]["fingerprint"] in text


def test_scene_ships_whole_and_within_ten_megabytes() -> None:
    trained = checkpoint.load(SHIPPED_WEIGHTS, "scene")
    assert trained.emotions == ALL_EMOTIONS
    files = [SHIPPED_WEIGHTS / name for name in ("scene.safetensors", BACKBONE_FILE)]
    assert sum(file.stat().st_size for file in files) < 10_000_000
    text = (SHIPPED_WEIGHTS / "SCENE_CARD.md").read_text(encoding="utf-8")
    for file in files:
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text


def test_scene_answers_alone_as_in_a_batch(paint: Callable[..., bytes]) -> None:
    classifier = Classifier.load()
    files = [paint(seed) for seed in range(5)]
    assert classifier.classify(files) == [classifier.classify([file])[0] for file in files]


def test_scene_classifies_unless_another_is_named() -> None:
    assert Classifier.load().name.startswith("scene@")


@pytest.mark.parametrize("name", ["mobilenet", "scene"])
def test_shipped_heads_were_chosen_as_the_code_chooses_now(name: str) -> None:
    training = json.loads((SHIPPED_WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))["training"]
    of_labels = training if name == "mobilenet" else training["teller"]
    now = LogisticLearner(GivenEmbeddings(2)).description
    assert {fact: of_labels[fact] for fact in now} == dict(now)
    known = known_directions(
        GivenEmbeddings(2),
        Judged(torch.rand(3, 2, generator=torch.Generator().manual_seed(0)), np.full((3, 4), 0.25), "f00"),
    )
    assert known is not None
    for fact in ("times_more_in_embedding", "rated_photographs_penalty", "rated_photographs_weighed"):
        assert of_labels["cheap_directions"][fact] == known.description[fact]
