"""The migrations make exactly the tables that the code uses, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from servers.postgres import Postgres

from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.migrate import migrate
from scenescore_shared.adapters.sql.tables import metadata
from scenescore_shared.errors import TransientError
from scenescore_shared.wiring import build_job_repository


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url(postgres.create_database())


def test_the_migrations_make_the_tables_of_the_code(empty_url: str) -> None:
    engine = make_engine(empty_url, application="tests")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrate(engine)
    engine.dispose()


def test_many_may_migrate_at_once(empty_url: str) -> None:
    engine = make_engine(empty_url, application="tests")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [engine] * 4))
    build_job_repository(engine).ping()
    engine.dispose()


def test_before_the_migration_the_database_counts_as_away(empty_url: str) -> None:
    engine = make_engine(empty_url, application="tests")
    with pytest.raises(TransientError):
        build_job_repository(engine).ping()
    engine.dispose()
