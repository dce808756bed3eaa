"""Engines for the suites that run on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.migrate import migrate


@pytest.fixture
def engine_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Makes an engine on a fresh, migrated database of the kind: sqlite or postgres."""
    made: list[Engine] = []

    def make(kind: str) -> Engine:
        url = f"sqlite:///{tmp_path / 'fresh.db'}" if kind == "sqlite" else None
        made.append(make_engine(url or request.getfixturevalue("postgres_url"), application="tests"))
        migrate(made[-1])
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
