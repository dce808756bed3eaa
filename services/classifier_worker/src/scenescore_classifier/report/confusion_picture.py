"""A confusion matrix as a PNG. Needs matplotlib: the extra `report`."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.models.architecture import optional_library


def write_confusion(path: Path, counts: Sequence[Sequence[int]], names: Sequence[str], *, title: str) -> None:
    """Shares of each labelled emotion by what it was given, with the counts in them: row labelled, column given.

    Raises ModelError where matplotlib is missing, and OSError where `path` can't be written.
    """
    figures = optional_library("matplotlib.figure", extra="report")
    matrix = np.array(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = figures.Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (row, column), share in np.ndenumerate(shares):
        ink = "white" if share > 0.5 else "black"  # noqa: PLR2004 - the darker half of the colours
        axes.text(column, row, f"{matrix[row, column]}\n{share:.0%}", ha="center", va="center", color=ink)
    places = range(len(names))
    axes.set_xticks(places, names)
    axes.set_yticks(places, names)
    axes.set(xlabel="given", ylabel="labelled", title=title)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    write_atomically(path, drawn.getvalue())
