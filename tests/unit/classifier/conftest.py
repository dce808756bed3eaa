"""Pictures painted by the tests themselves, and a tiny data set of them."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., bytes]
Row = tuple[str, str, str]


@pytest.fixture
def paint() -> Paint:
    """`paint(seed, size=(width, height), file_format="JPEG")`: the bytes of a picture of coloured tiles."""

    def paint_one(seed: int = 0, *, size: tuple[int, int] = (200, 160), file_format: str = "JPEG") -> bytes:
        tiles = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        data = io.BytesIO()
        Image.fromarray(tiles).resize(size, Image.Resampling.NEAREST).save(data, file_format)
        return data.getvalue()

    return paint_one


@pytest.fixture
def labelled_folder(tmp_path: Path, paint: Paint) -> Path:
    """Twelve pictures of three emotions under six themes, with a labels.csv."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rows: list[Row] = []
    for number in range(12):
        emotion = ("happy", "angry", "sad")[number % 3]
        theme = f"theme {number % 6}"
        (folder / f"{number}.jpg").write_bytes(paint(number))
        rows.append((f"{number}.jpg", emotion, theme))
    write_labels(folder, rows)
    return folder


@pytest.fixture
def photographs(tmp_path: Path, paint: Paint) -> Path:
    """Nine photographs in three folders, and a torn one."""
    folder = tmp_path / "photographs"
    for part in ("near", "far", "left"):
        (folder / part).mkdir(parents=True)
    for number in range(9):
        (folder / ("near", "far", "left")[number % 3] / f"{number}.jpg").write_bytes(paint(100 + number))
    (folder / "far" / "torn.jpg").write_bytes(paint(1)[:60])
    return folder


def write_labels(folder: Path, rows: Sequence[Row]) -> None:
    """`folder/labels.csv` with the columns file, emotion and theme."""
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "emotion", "theme"])
        writer.writerows(rows)
