"""Splits by theme, never by picture: similar pictures are all trained on or all tested on. Pure."""

from collections.abc import Sequence

import numpy as np

from scenescore_classifier.data.entries import LABELS_FILE, DatasetError
from scenescore_classifier.metrics import Ints


def split_by_theme(labels: Ints, themes: Sequence[str], folds: int, generator: np.random.Generator) -> Ints:
    """The fold, 0 … folds - 1, of each of the n pictures: int (n,). All pictures of a theme are in one fold.

    `labels` are int (n,), -1 where a picture has none. Themes are dealt out largest first (ties at random), each
    to the fold with the fewest pictures of the theme's main emotion, then the fewest in all, so that folds
    resemble each other.

    Raises DatasetError when there are fewer themes than folds.
    """
    names, theme_of = np.unique(np.asarray(themes), return_inverse=True)
    if len(names) < folds:
        raise DatasetError(
            f"{len(names)} themes can't fill {folds} folds: ask for fewer, or name themes in {LABELS_FILE}."
        )
    # pictures without a label are shared out like one emotion more
    kinds = labels - min(0, int(labels.min()))
    shuffled = generator.permutation(len(names))
    sizes = np.bincount(theme_of)
    held = np.zeros((folds, int(kinds.max()) + 1), dtype=np.int64)  # pictures per fold and emotion
    fold_of_theme = np.zeros(len(names), dtype=np.int64)
    for theme in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        counts = np.bincount(kinds[theme_of == theme], minlength=held.shape[1])
        fold = min(range(folds), key=lambda f: (held[f, counts.argmax()], held[f].sum()))
        held[fold] += counts
        fold_of_theme[theme] = fold
    return fold_of_theme[theme_of]


def split_inside(
    labels: Ints,
    themes: Sequence[str],
    folds: int,
    generator: np.random.Generator,
    *,
    fold_of: Ints,
    held_out: int,
) -> Ints:
    """Inner folds of the pictures outside the fold `held_out` of `fold_of`, by theme: int (n,), -1 for those in it.

    For choices (epochs, regularisation, early stopping) that must not see the held-out pictures: nested
    cross-validation (S. Varma and R. Simon, "Bias in error estimation when using cross-validation for model
    selection", 2006). Raises DatasetError as `split_by_theme` does.
    """
    inside = np.flatnonzero(fold_of != held_out)
    inner = np.full(len(fold_of), -1, dtype=np.int64)
    inner[inside] = split_by_theme(labels[inside], [themes[int(row)] for row in inside], folds, generator)
    return inner
