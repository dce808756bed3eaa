"""Grades, listeners' names, links, and the order in which pieces come."""

import re
from collections import Counter

import pytest
from samples.listening import session

from scenescore_shared.api_keys import redacted
from scenescore_shared.listening import TOKEN_PATTERN, in_order_for, new_item, new_token
from scenescore_shared.ratings import Grade, ModelVersion, is_listener, version_of


def test_grades_are_worth_five_points_down_to_one() -> None:
    assert [grade.points for grade in Grade] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "name", ["a", "ann", "Ann Lee", "José", "李", "p-7", "a=b", "x" * 64, "o'neill", "ann@home", "a\uff1db"]
)
def test_names(name: str) -> None:
    assert is_listener(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            " ",
            " ann",
            "ann ",
            "a/b",
            "a\\b",
            ".",
            "..",
            "=1+1",
            "+1",
            "-1",
            "@x",
            "a\nb",
            "a\x00",
            "x" * 65,
        ),
        *("a\u202eb", "a\u2028b", "\x85a", "a\uffff"),
        *("x;=1+1", ";", "a;b", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"),
    ],
)
def test_no_names(name: str) -> None:
    assert not is_listener(name)


def test_tokens_are_long_never_the_same_and_kept_out_of_logs() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(TOKEN_PATTERN, token) for token in tokens)
    token = tokens.pop()
    assert redacted(f"GET /listen/{token}/x") == "GET /listen/scl_…/x"


def test_an_items_id_tells_nothing_of_its_job() -> None:
    items = [new_item("0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001") for _ in range(50)]
    assert len({item.id for item in items}) == 50
    assert all(re.fullmatch("[0-9A-Za-z]{12}", item.id) for item in items)


def test_each_listener_has_an_order_that_stays() -> None:
    made = session(jobs=tuple(range(1, 17)))
    assert in_order_for("ann", made) == in_order_for("ann", made)
    assert sorted(item.id for item in in_order_for("ann", made)) == sorted(item.id for item in made.items)
    assert len({tuple(item.id for item in in_order_for(name, made)) for name in "abcdefgh"}) == 8


def test_every_piece_comes_first_about_as_often() -> None:
    made = session(jobs=(1, 2, 3, 4))
    firsts = Counter(in_order_for(f"listener {number}", made)[0].id for number in range(400))
    assert all(60 < times < 140 for times in firsts.values())
    assert len(firsts) == 4


def test_a_version_is_named_by_what_is_known_of_it() -> None:
    known = version_of({"classifier": "scene@1", "composer": "lstm@2", "base_model": "base@3", "seed": 7})
    assert known.label == "scene@1 + lstm@2 + base@3"
    assert version_of({"composer": "lstm@2"}).label == "lstm@2"
    assert ModelVersion(classifier=None, composer=None, base_model=None).label == "unknown"
