"""UnBiasedEmo (R. Panda et al., "Contemplating Visual Emotions: Understanding and Overcoming Dataset Bias", 2018).

Checked against programs that others published for the set, not against the set itself: an archive `images.zip`
that unpacks to `images/<emotion>/<folder>/<file>.jpg`, with the emotions anger, fear, joy, love, sadness and
surprise, and no ratings.

Assumed: the inner folder is the query, an object or a scene that was searched together with the emotion, so it is
the theme, also across emotions (pictures of `dog` stay together whatever they feel like). Tolerated: no inner
folder, several, other cases of letters, a folder around it all, further files.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from scenescore_classifier.data.entries import Skipped
from scenescore_classifier.data.importers.layout import (
    Found,
    ImportedSet,
    find_root,
    merged_map,
    pictures_of,
    refuse_other_set,
)

EMOTIONS = ("anger", "fear", "joy", "love", "sadness", "surprise")


def read_unbiasedemo(folder: Path, changes: Mapping[str, str]) -> ImportedSet:
    """The pictures of the set in `folder`, their emotion by folder; `changes` go before `DEFAULT_MAP`.

    Raises DatasetError where `folder` is not that set but Emotion6, say.
    """
    root = find_root(folder, EMOTIONS)
    refuse_other_set(root, "disgust", "emotion6")
    emotion_of = merged_map(changes, EMOTIONS)
    found: list[Found] = []
    left_out: list[Skipped] = []
    for item in pictures_of(root, EMOTIONS):
        if isinstance(item, Skipped):
            left_out.append(item)
        elif item[1] not in emotion_of:
            left_out.append(Skipped(item[0], f"{item[1]} has no counterpart"))
        else:
            found.append(Found(item[0], emotion_of[item[1]], _query(item[0])))
    return ImportedSet(root, tuple(found), tuple(left_out))


def _query(file: str) -> str:
    """`joy/Dog/1.jpg` → `dog`; empty where no folder but the emotion's own holds the file."""
    emotion, *inner = (part.strip().lower() for part in PurePosixPath(file).parent.parts)
    return next((part for part in inner if part != emotion), "")
