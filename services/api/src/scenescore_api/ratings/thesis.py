"""The reference: what the thesis's three listeners said of its sixteen generated files (chapter 7). Its tables hold
counts, not who said what of which file, so agreement can't be computed.
"""

from collections.abc import Mapping
from types import MappingProxyType

from scenescore_api.ratings.tallies import Tally
from scenescore_shared.ratings import Grade

PIECES = 16

LISTENERS: Mapping[str, Tally] = MappingProxyType(
    {
        name: Tally(counts=dict(zip(Grade, counts, strict=True)))
        for name, counts in (
            ("Listener 1", (0, 7, 7, 2, 0)),
            ("Listener 2", (2, 6, 5, 2, 1)),
            ("Listener 3", (1, 7, 6, 0, 2)),
        )
    }
)

OVERALL = Tally.sum_of(LISTENERS.values())
