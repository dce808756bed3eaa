"""The page that promises names a test for each promise; they exist, and so do the settings."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "promises.md").read_text()
TESTS = sorted(set(re.findall(r"`(tests/[^`:]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_test_that_the_page_names_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_promise_names_a_test() -> None:
    tables = PAGE[PAGE.index("## Submitting") :].splitlines()
    promises = [line for line in tables if line.startswith("| ") and not line.endswith("| test |")]
    assert len(promises) > 20
    assert [line for line in promises if "::test_" not in line] == []


def test_the_settings_that_the_page_names_exist() -> None:
    settings = (ROOT / "docs" / "settings.md").read_text()
    named = set(re.findall(r"SCENESCORE_[A-Z_]+", PAGE))
    assert named
    assert {name for name in named if name not in settings} == set()


def test_deployers_are_led_to_the_page() -> None:
    assert "(promises.md)" in (ROOT / "docs" / "deploy.md").read_text()
