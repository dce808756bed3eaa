"""In which directions of an embedding a head's weights are cheap: what is known of emotions before any label."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenescore_classifier.metrics import Floats
from scenescore_classifier.models.architecture import Architecture, NamesThings
from scenescore_classifier.training import rated
from scenescore_classifier.training.named import feelings, feelings_sha256
from scenescore_classifier.training.rated import Judged
from scenescore_classifier.training.regression import CHEAP


@dataclass(frozen=True)
class Directions:
    """For `regression.leant`."""

    values: Floats
    """(d, q)."""
    sources: Mapping[str, Any]
    """What they are known from, for the card; others for other directions."""

    @property
    def description(self) -> Mapping[str, Any]:
        return {"times_more_in_embedding": CHEAP, **self.sources}


def known_directions(architecture: Architecture, judged: Judged | None = None) -> Directions | None:
    """What the named things feel like, where the architecture names any; and what photographs were judged to feel like,
    where there are some that it prepared. None where nothing is known.
    """
    columns: list[Floats] = []
    sources: dict[str, Any] = {}
    if isinstance(architecture, NamesThings):
        (dimensions,) = architecture.prepared_shape
        named = np.zeros((dimensions, feelings().shape[1]))
        named[architecture.named] = feelings()
        columns.append(named)
        sources["named_feelings_sha256"] = feelings_sha256()
    if judged is not None:
        columns.append(judged.slopes())
        sources |= {
            "rated_photographs": len(judged.shares),
            "rated_photographs_fingerprint": judged.fingerprint,
            "rated_photographs_penalty": rated.PENALTY,
            "rated_photographs_weighed": "as much by each emotion",
        }
    return Directions(np.hstack(columns), sources) if columns else None
