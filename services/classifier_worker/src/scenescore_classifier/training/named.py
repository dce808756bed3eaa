"""What photographs feel like in which a network names a thing: more than a few hundred labels can tell of a thousand.

`named_feelings.csv` has a line for each thing that ImageNet names, in its order, with shares of 100 of four emotions:
the means of four passes of a language model that was given the names and this question, and no picture: when a network
says that this stands in a photograph, perhaps wrongly, how does the photograph probably make people feel?
"""

import csv
import hashlib
from functools import cache
from importlib import resources

import numpy as np

from scenescore_classifier.metrics import Floats
from scenescore_classifier.models.imagenet import CLASSES

FILE = "named_feelings.csv"


@cache
def feelings() -> Floats:
    """Shares of happy, angry, sad and calm, less the mean over all things: (1001, 4); nothing for the background,
    which stands first.
    """
    _, *lines = csv.reader(_table().decode().splitlines())
    shares = np.array([[float(share) for share in line[1:]] for line in lines]) / 100
    found = np.zeros((CLASSES, shares.shape[1]))
    found[1:] = shares - shares.mean(axis=0)
    return found


def feelings_sha256() -> str:
    """Of the table, 64 hex digits."""
    return hashlib.sha256(_table()).hexdigest()


def _table() -> bytes:
    return resources.files(__package__).joinpath(FILE).read_bytes()
