"""Pictures to learn from: folders and tables → tensors, labels and themes, and splits that part no theme."""

from scenescore_classifier.data.affect import Scale
from scenescore_classifier.data.entries import LABELS_FILE, Affect, DatasetError, Entry, Skipped
from scenescore_classifier.data.reading import Dataset, read_folder
from scenescore_classifier.data.splits import split_by_theme, split_inside
from scenescore_classifier.data.themes import theme_from_name

__all__ = [
    "LABELS_FILE",
    "Affect",
    "Dataset",
    "DatasetError",
    "Entry",
    "Scale",
    "Skipped",
    "read_folder",
    "split_by_theme",
    "split_inside",
    "theme_from_name",
]
