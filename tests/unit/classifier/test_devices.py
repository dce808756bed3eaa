"""A device that is not there is said before any work."""

import argparse

import pytest

from scenescore_classifier.devices import device


def test_a_device_that_is_there_keeps_its_name() -> None:
    assert device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["nowhere", "cuda:99"])
def test_one_that_is_not_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"finds no {name}.*leave it out"):
        device(name)
