"""Views of photographs with what the teacher sees in them, kept on disk: the teacher looks once, not in each epoch."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.distillation.teacher import Lesson
from scenescore_classifier.models.imagenet import CLASSES
from scenescore_classifier.models.mobilenet import SIDE as TEACHER_SIDE
from scenescore_classifier.models.scene import EMBEDDING, MAPS, SIDE
from scenescore_classifier.preprocessing import decode
from scenescore_shared.errors import InvalidPictureError, ScenescoreError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
FACTS_FILE = "views.json"

WHOLE, SMALLEST_AREA, WIDEST = 0.5, 0.35, 4 / 3
"""Share of views that squeeze the whole photograph; the others show a part of this share of it at least, at
proportions up to this factor from the photograph's pixels being square (Szegedy et al. 2015)."""

MIRRORED = 0.5
"""Share of views that are mirrored."""

HELD_OUT = 40
"""Every so many-th photograph is kept for measuring: it is not mixed, and in no mixture of others."""

MIXED_IN = 0.2, 0.5
"""From which to which share of a mixed view is the other photograph's."""

BLENDED = 0.5
"""Share of mixed views that blend the two; in the others one lies in a rectangle of the other."""

SAVE_EVERY = 500

Box = tuple[int, int, int, int]

Shown = tuple[Image.Image, Image.Image]
"""The same for the network (112x112) and for the teacher (224x224)."""


class Shows(Protocol):
    """A teacher."""

    sha256: str
    """Of its weights."""

    def show(self, picture: Image.Image) -> Lesson:
        """What it makes of an RGB picture of 224x224 pixels."""
        ...


class ViewsError(ScenescoreError):
    """The kept views can't be used; the message says what to do."""

    code = "invalid_views"


@dataclass(frozen=True)
class Views:
    """One view of each of n photographs, on disk."""

    seed: int
    """Decides what the views show."""
    mixed: float
    """Share of them that also show another photograph."""
    pixels: NDArray[np.uint8]
    """(n, 112, 112, 3)."""
    maps: tuple[NDArray[np.int8], ...]
    """(n, 28, 28, 32), (n, 14, 14, 96), (n, 7, 7, 320)."""
    embeddings: NDArray[np.float32]
    """(n, 1280)."""
    named: NDArray[np.uint8]
    """(n, 1001): in 256ths."""
    seen: NDArray[np.bool_]
    """(n,): false where a photograph could not be read."""


def photographs(folder: Path, leave_out: Sequence[str] = ()) -> list[str]:
    """Picture files under `folder` in order, relative to it; none under the folders named in `leave_out`."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(file.as_posix() for file in files if not set(file.parts[:-1]) & set(leave_out))


def make_views(
    folder: Path, files: Sequence[str], teacher: Shows, seed: int, out: Path, *, mixed: float = 0.0
) -> Views:
    """The views of seed `seed` in `out`: made, or what is missing of them made, or read.

    The share `mixed` of them also shows another photograph, blended (mixup, H. Zhang et al. 2018) or in a rectangle
    (CutMix, Yun et al. 2019); the teacher says what it makes of the mixture (Beyer et al., "Knowledge distillation: A
    good teacher is patient and consistent", 2022). Each depends on its photograph's place in `files`, the seed and
    `mixed` alone. Raises ViewsError when `out` holds views of something else.
    """
    facts = {
        "files": len(files),
        "first": files[0],
        "last": files[-1],
        "seed": seed,
        "teacher": teacher.sha256,
        "names": CLASSES,
        "mixed": mixed,
    }
    views, done = _opened(out, facts)
    rest = tqdm(range(done, len(files)), desc=f"looking (seed {seed})", unit="photograph", disable=None)
    for place in rest:
        shown = _mixed_view(folder, files, place, mixed, np.random.default_rng([seed, place]))
        if shown is not None:
            small, large = shown
            _keep(views, place, small, teacher.show(large))
        if (place + 1) % SAVE_EVERY == 0:
            _note(out, facts, place + 1)
    _note(out, facts, len(files))
    return views


def random_box(width: int, height: int, rng: np.random.Generator) -> Box:
    """What a view shows of a photograph: (left, upper, right, lower) in pixels."""
    if rng.random() < WHOLE:
        return 0, 0, width, height
    area = rng.uniform(SMALLEST_AREA, 1) * width * height
    ratio = np.exp(rng.uniform(-np.log(WIDEST), np.log(WIDEST)))
    w = max(1, min(width, int((area * ratio) ** 0.5)))
    h = max(1, min(height, int((area / ratio) ** 0.5)))
    left, upper = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    return left, upper, left + w, upper + h


def _mixed_view(
    folder: Path, files: Sequence[str], place: int, mixed: float, rng: np.random.Generator
) -> Shown | None:
    """A view of the photograph at `place`, perhaps mixed with one of another; None where it can't be read."""
    shown = _view_of(folder / files[place], rng)
    if shown is None or place % HELD_OUT == 0 or rng.random() >= mixed:
        return shown
    partner = int(rng.integers(len(files)))
    other = _view_of(folder / files[partner], rng) if partner % HELD_OUT else None
    if other is None:
        return shown
    mix = random_mixture(rng)
    (small, large), (other_small, other_large) = shown, other
    return mix(small, other_small), mix(large, other_large)


def _keep(views: Views, place: int, picture: Image.Image, lesson: Lesson) -> None:
    views.pixels[place] = np.asarray(picture)
    for kept, seen in zip(views.maps, lesson.maps, strict=True):
        kept[place] = seen
    views.embeddings[place] = lesson.embedding
    views.named[place] = lesson.named
    views.seen[place] = True


def _view_of(path: Path, rng: np.random.Generator) -> Shown | None:
    try:
        picture = decode(path.read_bytes())
    except (InvalidPictureError, OSError):
        return None
    box = random_box(*picture.size, rng)
    mirrored = rng.random() < MIRRORED
    small, large = (_part(picture, box, side, mirrored=mirrored) for side in (SIDE, TEACHER_SIDE))
    return small, large


def random_mixture(rng: np.random.Generator) -> Callable[[Image.Image, Image.Image], Image.Image]:
    """How to mix another square picture into one of the same size, SIDE or a multiple: alike at every size."""
    share = rng.uniform(*MIXED_IN)
    if rng.random() < BLENDED:
        return lambda own, other: Image.blend(own, other, share)
    ratio = np.exp(rng.uniform(-np.log(WIDEST), np.log(WIDEST)))
    w, h = (round((share * factor) ** 0.5 * SIDE) for factor in (ratio, 1 / ratio))
    left, upper = int(rng.integers(SIDE - w + 1)), int(rng.integers(SIDE - h + 1))

    def paste(own: Image.Image, other: Image.Image) -> Image.Image:
        times = own.width // SIDE
        box = (left * times, upper * times, (left + w) * times, (upper + h) * times)
        mixture = own.copy()
        mixture.paste(other.crop(box), box)
        return mixture

    return paste


def _part(picture: Image.Image, box: Box, side: int, *, mirrored: bool) -> Image.Image:
    view = picture.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return view.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else view


def _opened(out: Path, facts: dict[str, Any]) -> tuple[Views, int]:
    """The arrays in `out`, new where there are none, and the number of photographs looked at."""
    out.mkdir(parents=True, exist_ok=True)
    done = _done(out, facts)
    n = int(facts["files"])
    mode = "r+" if done else "w+"

    def array(name: str, dtype: type, *shape: int) -> Any:
        return open_memmap(out / f"{name}.npy", mode=mode, dtype=dtype, shape=(n, *shape))

    maps = tuple(array(f"map-{i}", np.int8, side, side, depth) for i, (side, depth) in enumerate(MAPS, 1))
    pixels = array("pixels", np.uint8, SIDE, SIDE, 3)
    embeddings, named = array("embeddings", np.float32, EMBEDDING), array("named", np.uint8, CLASSES)
    views = Views(
        int(facts["seed"]), float(facts["mixed"]), pixels, maps, embeddings, named, array("seen", np.bool_)
    )
    return views, done


def _done(out: Path, facts: dict[str, Any]) -> int:
    path = out / FACTS_FILE
    if not path.exists():
        return 0
    known = json.loads(path.read_text())
    done = int(known.pop("done"))
    if known != facts:
        raise ViewsError(
            f"{out} holds views of other photographs, another seed, teacher or version: name another folder."
        )
    return done


def _note(out: Path, facts: dict[str, Any], done: int) -> None:
    write_atomically(out / FACTS_FILE, (json.dumps({**facts, "done": done}) + "\n").encode())
