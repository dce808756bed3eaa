"""Engines for the suites that run on both databases."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from scenescore_shared.adapters.sql.engine import make_engine


@pytest.fixture
def engine_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Engine]]:
    """Makes an engine on a fresh, migrated database of the kind: sqlite or postgres."""
    made: list[Engine] = []

    def make(kind: str) -> Engine:
        made.append(make_engine(request.getfixturevalue(f"{kind}_url"), application="tests"))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
