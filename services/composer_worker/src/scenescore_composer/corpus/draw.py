"""Drawing clips in the proportions of a mix of emotions. Pure."""

import random
from collections.abc import Mapping, Sequence

from scenescore_shared.emotions import largest_remainder
from scenescore_shared.errors import EmptyCorpusError


def draw(
    probabilities: Mapping[str, float], n: int, seed: int, available: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Ids of at most `n` clips, each emotion's number in proportion to its probability, without replacement.

    `available` maps an emotion to the ids of its clips. Numbers are shared out by largest remainder. Where an
    emotion has too few clips, fewer are drawn of all of them: the largest number ≤ `n` whose shares every
    emotion can fill. The same arguments give the same ids in the same order, however the mappings and
    sequences are ordered. Probabilities are ≥ 0 and need not add up to 1.

    Raises EmptyCorpusError when not one clip can be drawn.
    """
    wanted = sorted(emotion for emotion, probability in probabilities.items() if probability > 0)
    counts = _counts(wanted, probabilities, n, {e: len(set(available.get(e, ()))) for e in wanted})
    if not any(counts.values()):
        raise EmptyCorpusError(
            f"the corpus holds no clips for {', '.join(wanted) or 'an empty mix'}: "
            "build the starter corpus or import some"
        )
    return tuple(
        clip_id
        for emotion, count in counts.items()
        # a generator for each emotion: what one emotion draws does not depend on the others
        for clip_id in random.Random(f"{seed}/{emotion}").sample(
            sorted(set(available.get(emotion, ()))), count
        )
    )


def _counts(
    wanted: Sequence[str], probabilities: Mapping[str, float], n: int, stock: Mapping[str, int]
) -> dict[str, int]:
    total = sum(probabilities[emotion] for emotion in wanted)
    shares = [probabilities[emotion] / total for emotion in wanted]
    for size in range(n, 0, -1):
        counts = dict(zip(wanted, largest_remainder(shares, size), strict=True))
        if all(counts[emotion] <= stock[emotion] for emotion in wanted):
            return counts
    return {}
