"""What has been measured: cards, rows of the GAN table and the distillation's curve, as files in one folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenescore_classifier.checkpoint import CARD_SUFFIX
from scenescore_classifier.distillation.training import CURVE_FILE
from scenescore_classifier.models.scene import MAPS
from scenescore_shared.errors import ScenescoreError

GAN_FOLDER = "gan"
QUALITY_FILE = "quality.json"
CURVE_FILES = f"{Path(CURVE_FILE).stem}*{CARD_SUFFIX}"
"""The first one's name, and such as `distillation-2.json` where the network was taught on."""

Card = Mapping[str, Any]

TRAIN = "python -m scenescore_classifier.train FOLDER --out DIR --scale 1..7 --seeds 3"


@dataclass(frozen=True)
class Expected:
    """A row that the table has, measured or not."""

    name: str
    """An architecture; one that ends with a colon stands for all that begin so."""
    needs: str
    """What a machine must have for it."""
    example: str
    """The command that measures it."""


ROWS = (
    Expected("colours", "only to be run", f"{TRAIN} --model colours"),
    Expected("thesis", "time: some 10 s an epoch and fold on a core", f"{TRAIN} --model thesis"),
    Expected("thesis-relu", "time: some 10 s an epoch and fold on a core", f"{TRAIN} --model thesis-relu"),
    Expected(
        "scene", "its backbone, which distillation teaches", f"{TRAIN} --model scene --models-dir MODELS"
    ),
    Expected("mobilenet", "its backbones: `scenescore models pull mobilenet`", f"{TRAIN} --model mobilenet"),
    Expected(
        "timm:",
        "the extra `timm`, a network to fetch weights and, better, a GPU",
        f"{TRAIN} --model timm:resnet50.a1_in1k --augment today --device cuda",
    ),
    Expected(
        "clip:",
        "the extra `clip` and a network to fetch weights",
        f"{TRAIN} --model clip:ViT-B-32/laion2b_s34b_b79k",
    ),
)


class ResultsError(ScenescoreError):
    """A file of results can't be used; the message says which and what to do."""

    code = "invalid_results"


@dataclass(frozen=True)
class Results:
    """All there is to report."""

    cards: Sequence[Card]
    """One for each architecture, in the order of ROWS."""
    curves: Sequence[Mapping[str, Any]]
    """Of the distillation, and of each time that its network was taught on."""
    quality: Sequence[Mapping[str, Any]]
    """Of each emotion's GAN."""

    def of(self, row: Expected) -> list[Card]:
        return [card for card in self.cards if _belongs(card["architecture"], row)]


def read(folder: Path, shipped: Path) -> Results:
    """The results in `folder`; an architecture without a card there has that of the `shipped` weights.

    Raises ResultsError on a file that is none.
    """
    cards: dict[str, Card] = {}
    curves = sorted(folder.glob(CURVE_FILES), key=lambda path: path.stem)
    for place in (shipped, folder):
        for path in sorted(place.glob(f"*{CARD_SUFFIX}")):
            if path not in curves:
                card = _card(path)
                cards[card["architecture"]] = card
    return Results(
        [card for row in ROWS for name, card in cards.items() if _belongs(name, row)],
        [_curve(path) for path in curves],
        [_parsed(path) for path in sorted((folder / GAN_FOLDER).glob(f"*/{QUALITY_FILE}"))],
    )


def _belongs(name: str, row: Expected) -> bool:
    return name == row.name or (row.name.endswith(":") and name.startswith(row.name))


def _card(path: Path) -> Card:
    card = _parsed(path)
    parts = card.get("metrics")
    if "architecture" not in card or not isinstance(parts, dict) or "default_emotions" not in parts:
        raise ResultsError(f"{path} is no card of a trained model: take it out, or train again.")
    return card


def _curve(path: Path) -> dict[str, Any]:
    """The distillation's: of each of the maps, of the embedding and of the names a share at each point."""
    found = _parsed(path)
    shares = {len(point.get("explained", ())) for point in found.get("curve") or ()}
    complete = "views" in found and "learning_rate" in found.get("settings", {})
    if not complete or shares != {len(MAPS) + 2}:
        raise ResultsError(f"{path} is no curve of this version's distillation: take it out, or teach again.")
    return found


def _parsed(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} can't be read as JSON: restore it ({error}).") from error
    if not isinstance(found, dict):
        raise ResultsError(f"{path} holds no results: take it out, or make it again.")
    return found
