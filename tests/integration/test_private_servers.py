"""What the tests' own servers must bear."""

from pathlib import Path

import psycopg
from servers.postgres import Postgres
from servers.private import started


def test_postgres_lives_on_when_another_run_closes_pytest_s_folders(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    for postgres in started(Postgres, folder):
        url = postgres.url(postgres.create_database()).replace("+psycopg", "")
        tmp_path.chmod(0o700)  # as a starting pytest does, further up
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (number int)")
            connection.execute("CHECKPOINT")
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
