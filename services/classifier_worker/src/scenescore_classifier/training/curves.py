"""Training curves: as JSON always, as a picture where matplotlib (the optional extra `report`) is installed."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.models.architecture import ModelError, optional_library
from scenescore_classifier.training.learner import Epoch

CURVES = "curves"
"""Name of the files: `curves.json`, and `curves.png`."""


def write_curves(directory: Path, curves: Mapping[str, Sequence[Epoch]]) -> str | None:
    """Write the curves, each under the name of its run. None, or a line on why there is no picture."""
    data = {name: [asdict(epoch) for epoch in curve] for name, curve in curves.items()}
    write_atomically(directory / f"{CURVES}.json", (json.dumps(data, indent=1) + "\n").encode())
    try:
        figures = optional_library("matplotlib.figure", extra="report")
    except ModelError as error:
        return f"There is no picture of the curves, only {CURVES}.json. {error.message}"
    write_atomically(directory / f"{CURVES}.png", _picture(figures.Figure(figsize=(9, 4)), curves))
    return None


def _picture(figure: Any, curves: Mapping[str, Sequence[Epoch]]) -> bytes:
    """PNG: losses on the left, validation balanced accuracy on the right."""
    losses, accuracies = figure.subplots(1, 2)
    for place, (name, curve) in enumerate(curves.items()):
        colour, numbers = f"C{place % 10}", [epoch.number for epoch in curve]
        losses.plot(numbers, [epoch.training_loss for epoch in curve], color=colour, label=name)
        watched = [epoch for epoch in curve if epoch.validation_loss is not None]
        numbers = [epoch.number for epoch in watched]
        losses.plot(numbers, [epoch.validation_loss for epoch in watched], color=colour, linestyle="--")
        accuracies.plot(numbers, [epoch.validation_balanced_accuracy for epoch in watched], color=colour)
    losses.set(xlabel="epoch", ylabel="cross-entropy (nats); dashed: validation")
    accuracies.set(xlabel="epoch", ylabel="balanced accuracy, validation", ylim=(0, 1))
    losses.legend(fontsize="x-small")
    figure.tight_layout()
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=120)
    return data.getvalue()
