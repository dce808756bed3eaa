"""Brings a database to the newest schema. Safe to run from many processes at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, select

from scenescore_shared.adapters.sql.engine import for_writing, translated_errors

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x5CE4E5C1


def migrate(engine: Engine) -> None:
    """Applies what is missing, in one transaction. Raises TransientError when the database is away."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with translated_errors(), for_writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            # on SQLite the transaction itself is the lock
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
