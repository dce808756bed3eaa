"""What photographs feel like in which a network names a thing: more than a few hundred labels can tell of a thousand.

`named_feelings.csv` has a line for each thing that ImageNet names, in its order, with shares of 100 of four emotions:
the means of four passes of a language model that was given the names and this question, and no picture: when a network
says that this stands in a photograph, perhaps wrongly, how does the photograph probably make people feel?
"""

import csv
from functools import cache
from importlib import resources

import numpy as np

from scenescore_classifier.metrics import Floats
from scenescore_classifier.models.architecture import Architecture, NamesThings
from scenescore_classifier.models.imagenet import CLASSES

FILE = "named_feelings.csv"


@cache
def feelings() -> Floats:
    """Shares of happy, angry, sad and calm, less the mean over all things: (1001, 4); nothing for the background,
    which stands first.
    """
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    _, *lines = csv.reader(text.splitlines())
    shares = np.array([[float(share) for share in line[1:]] for line in lines]) / 100
    found = np.zeros((CLASSES, shares.shape[1]))
    found[1:] = shares - shares.mean(axis=0)
    return found


def directions_of(architecture: Architecture) -> Floats | None:
    """In which directions of an architecture's embeddings lies what the named things feel like: (d, 4), for
    `regression.leant`; None where it names nothing.
    """
    if not isinstance(architecture, NamesThings):
        return None
    (dimensions,) = architecture.prepared_shape
    directions = np.zeros((dimensions, feelings().shape[1]))
    directions[architecture.named] = feelings()
    return directions
