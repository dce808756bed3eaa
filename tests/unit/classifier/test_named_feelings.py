"""What named things feel like: the table's order, and where in an embedding it lies."""

import csv
from importlib import resources

import numpy as np
import pytest
from samples.embeddings import GivenEmbeddings

from scenescore_classifier.models.imagenet import CLASSES
from scenescore_classifier.models.mobilenet import MobileNets
from scenescore_classifier.models.registry import architecture
from scenescore_classifier.models.scene_backbone import Scene
from scenescore_classifier.training import named
from scenescore_classifier.training.choosing import learner_for
from scenescore_classifier.training.directions import known_directions
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.named import feelings, feelings_sha256
from scenescore_classifier.training.regression import CHEAP

HAPPY, ANGRY, SAD, CALM = range(4)

KNOWN = {0: "tench", 281: "tabby", 413: "assault rifle", 743: "prison", 982: "groom", 999: "toilet tissue"}
"""Places of some of ImageNet's things."""


def lines() -> list[list[str]]:
    text = resources.files("scenescore_classifier.training").joinpath(named.FILE).read_text()
    header, *found = csv.reader(text.splitlines())
    assert header == ["name", "happy", "angry", "sad", "calm"]
    return found


def test_the_table_has_shares_for_each_thing_in_order() -> None:
    found = lines()
    assert len(found) == CLASSES - 1
    assert {place: found[place][0] for place in KNOWN} == KNOWN
    assert all(98 <= sum(map(float, line[1:])) <= 102 for line in found)  # rounded


def test_feelings_stand_after_the_background_and_say_what_a_thing_has_beyond_others() -> None:
    values = feelings()
    assert values.shape == (CLASSES, 4)
    assert not values[0].any()
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)
    rifle, prison, groom = values[414], values[744], values[983]
    assert (rifle.argmax(), prison.argmax(), groom.argmax()) == (ANGRY, SAD, HAPPY)
    assert values[1 + 978].argmax() == CALM  # a seashore


@pytest.mark.parametrize("model", [MobileNets(None), Scene(None)])
def test_they_lie_where_a_model_names_things(model: MobileNets | Scene) -> None:
    directions = known_directions(model)
    assert directions is not None
    assert directions.values.shape == (*model.prepared_shape, 4)
    np.testing.assert_array_equal(directions.values[model.named], feelings())
    assert not directions.values[:-CLASSES].any()
    assert directions.description == {
        "times_more_in_embedding": CHEAP,
        "named_feelings_sha256": feelings_sha256(),
    }


def test_a_model_that_names_nothing_has_none() -> None:
    assert known_directions(GivenEmbeddings(7)) is None
    assert known_directions(architecture("thesis-relu")) is None


def test_heads_are_given_them() -> None:
    directions = known_directions(Scene(None))
    assert directions is not None
    learner, plain = learner_for(Scene(None), directions=directions), learner_for(GivenEmbeddings(7))
    assert isinstance(learner, LogisticLearner)
    assert learner.directions is directions
    assert learner.description["cheap_directions"] == directions.description
    assert "cheap_directions" not in plain.description
