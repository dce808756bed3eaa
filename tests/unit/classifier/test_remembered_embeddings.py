"""Embeddings on disk: asked for once, and again when what was kept can't be read."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from scenescore_classifier.preprocessing import to_pixels
from scenescore_classifier.training.embeddings import fingerprint, remembered


class Counting:
    """An embedding of two numbers, and how often it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, image: Image.Image) -> torch.Tensor:
        self.asked += 1
        return torch.tensor([float(image.width), float(image.height)])


def test_a_picture_is_asked_for_once_also_by_the_next_run(tmp_path: Path) -> None:
    backbone, picture = Counting(), Image.new("RGB", (4, 2), "red")
    first = remembered(backbone, tmp_path / "embeddings")(picture)
    assert remembered(backbone, tmp_path / "embeddings")(picture).tolist() == first.tolist() == [4, 2]
    assert backbone.asked == 1


def test_pictures_of_the_same_bytes_and_another_size_are_others(tmp_path: Path) -> None:
    backbone = Counting()
    prepare = remembered(backbone, tmp_path)
    assert prepare(Image.new("RGB", (4, 2))).tolist() == [4, 2]
    assert prepare(Image.new("RGB", (2, 4))).tolist() == [2, 4]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\x80\x04N."])  # the last one is a pickle
def test_what_can_t_be_read_is_made_again(tmp_path: Path, damage: bytes) -> None:
    backbone, picture = Counting(), Image.new("RGB", (4, 2))
    prepare = remembered(backbone, tmp_path)
    prepare(picture)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert prepare(picture).tolist() == [4, 2]
    assert backbone.asked == 2
    assert prepare(picture).tolist() == [4, 2]
    assert backbone.asked == 2


def test_the_fingerprint_tells_ways_of_preparing_apart() -> None:
    def as_it_is(image: Image.Image) -> torch.Tensor:
        return to_pixels(image, 8)

    def mirrored(image: Image.Image) -> torch.Tensor:
        return to_pixels(image, 8).flip(2)

    def upside_down(image: Image.Image) -> torch.Tensor:
        return to_pixels(image, 8).flip(1)

    assert fingerprint(as_it_is) == fingerprint(as_it_is)
    assert len({fingerprint(way) for way in (as_it_is, mirrored, upside_down)}) == 3
