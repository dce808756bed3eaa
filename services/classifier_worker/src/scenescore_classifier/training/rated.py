"""What photographs make people feel, as judged by looking at them: learnt from, never judged by."""

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from scenescore_classifier.data import DatasetError
from scenescore_classifier.metrics import Floats
from scenescore_classifier.training import photographs
from scenescore_classifier.training.photographs import Looked
from scenescore_classifier.training.regression import divisor
from scenescore_shared.emotions import ALL_EMOTIONS

SHA256 = "sha256"
"""The column that says which photograph: 64 hex digits of its file."""

PENALTY = 10_000.0
"""On the squares of the weights, for standardised embeddings."""

RAREST = 0.02
"""Mean share of an emotion below which photographs weigh no more for it."""


@dataclass(frozen=True)
class Judged:
    """Photographs as a model prepares them, and what they were judged to feel like."""

    prepared: Tensor
    """float32 (r, d)."""
    shares: Floats
    """(r, 4)."""
    fingerprint: str
    """sha256 of which photographs they are, and of their shares."""

    def slopes(self) -> Floats:
        """In which directions of the embeddings the shares lie, (d, 4): ridge regression (Hoerl and Kennard 1970).

        A photograph weighs the more, the rarer is what it feels like: each emotion gives them as much weight in all.
        """
        weights = self._weights
        values = self.prepared.double().numpy()
        centred = values - weights @ values
        scale = divisor(np.sqrt(weights @ centred**2))
        standardised = centred / scale
        weighed = standardised * (weights * len(weights))[:, None]
        squares = weighed.T @ standardised
        squares[np.diag_indices_from(squares)] += PENALTY
        products = weighed.T @ (self.shares - weights @ self.shares)
        found: Floats = np.linalg.solve(squares, products) / scale[:, None]
        return found

    @property
    def _weights(self) -> Floats:
        """(r,), 1 in all: a photograph's shares, each over how much of that emotion there is in all, or over RAREST, so
        that no photograph stands for an emotion alone.
        """
        of_all = self.shares.mean(axis=0)
        weights = (self.shares / np.maximum(of_all, RAREST)).sum(axis=1)
        normed: Floats = weights / weights.sum()
        return normed


@dataclass(frozen=True)
class RatedPhotographs:
    """Shares of the four emotions, in the order of ALL_EMOTIONS."""

    shares: Mapping[str, Floats]
    """(4,) for each sha256; they add up to 1."""

    @classmethod
    def read(cls, path: Path) -> "RatedPhotographs":
        """A CSV with a column `sha256` and one of each emotion: how much of it there is, in any unit.

        Raises DatasetError, naming the line, where it is none.
        """
        found: dict[str, Floats] = {}
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                table = csv.DictReader(file)
                lacking = {SHA256, *ALL_EMOTIONS} - set(table.fieldnames or ())
                if lacking:
                    raise DatasetError(f"{path} lacks the columns {', '.join(sorted(lacking))}.")
                for row in table:
                    line = f"{path}, line {table.line_num}"
                    sha256 = _sha256(row, line)
                    if sha256 in found:
                        raise DatasetError(f"{line}: {sha256} stands there twice.")
                    found[sha256] = _shares(row, line)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DatasetError(f"{path} can't be read as a table of ratings: {error}.") from error
        return cls(found)

    def require_enough(self, folder: Path, leave_out: Sequence[str]) -> None:
        """Raises DatasetError where fewer than `photographs.LEAST` of those under `folder` are rated."""
        count = len(photographs.readable(folder, leave_out) & self.shares.keys())
        if count < photographs.LEAST:
            raise DatasetError(
                f"Only {count} of the photographs in {folder} are rated: rate {photographs.LEAST} or more, "
                "by the sha256 of their files."
            )

    def of(self, looked: Looked, prepared: Tensor) -> Judged:
        """Those that were rated of the photographs `looked` at, `prepared` by one model: (m, d)."""
        places = [place for place, sha256 in enumerate(looked.sha256) if sha256 in self.shares]
        shares = np.array([self.shares[looked.sha256[place]] for place in places])
        which = "".join(looked.sha256[place] for place in places).encode()
        return Judged(prepared[places], shares, hashlib.sha256(which + shares.tobytes()).hexdigest())


def _sha256(row: Mapping[str, str | None], line: str) -> str:
    sha256 = (row[SHA256] or "").strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise DatasetError(f"{line}: {SHA256} must be the 64 hex digits of a photograph's file.")
    return sha256


def _shares(row: Mapping[str, str | None], line: str) -> Floats:
    try:
        parts = np.array([float(row[emotion] or "") for emotion in ALL_EMOTIONS])
    except ValueError:
        parts = np.full(len(ALL_EMOTIONS), np.nan)
    total = parts.sum()
    if not (np.isfinite(total) and total > 0 and (parts >= 0).all()):
        raise DatasetError(f"{line}: {', '.join(ALL_EMOTIONS)} must be numbers of 0 or more, not all 0.")
    shares: Floats = parts / total
    return shares
