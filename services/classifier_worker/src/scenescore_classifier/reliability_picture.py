"""A reliability diagram as a PNG. Needs matplotlib: the extra `report`."""

import io
from pathlib import Path

import numpy as np

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.metrics import Reliability
from scenescore_classifier.models.architecture import optional_library


def write_reliability(path: Path, diagram: Reliability, *, title: str) -> None:
    """Bars of accuracy over confidence beside the diagonal of perfect calibration, each with its number of pictures.

    Raises ModelError where matplotlib is missing, and OSError where `path` can't be written.
    """
    figures = optional_library("matplotlib.figure", extra="report")
    bins = len(diagram.counts)
    centres = (np.arange(bins) + 0.5) / bins
    figure = figures.Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], linestyle="--", color="grey", label="perfectly calibrated")
    axes.bar(centres, np.nan_to_num(diagram.accuracy), width=0.9 / bins, label="share that is right")
    axes.plot(diagram.confidence, diagram.accuracy, "o", color="black", markersize=3, label="mean of the bin")
    for centre, accuracy, count in zip(centres, diagram.accuracy, diagram.counts, strict=True):
        if count:
            axes.annotate(str(count), (centre, accuracy), ha="center", va="bottom", fontsize=7)
    axes.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="probability of the likeliest emotion", title=title)
    axes.legend(fontsize=8)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=120)
    write_atomically(path, drawn.getvalue())
