"""The corpus in a data folder, for the commands that compose from it."""

import sys
from pathlib import Path

from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_shared.adapters.sql.engine import make_engine


def catalogue_in(data_dir: Path, *, application: str) -> SqlClipCatalogue | None:
    """Its clips, under the name of `application` to the database; None, and a sentence on stderr, without a corpus."""
    database = data_dir / "scenescore.db"
    if not database.is_file():
        sys.stderr.write(f"{data_dir} holds no corpus: run `scenescore corpus build` first.\n")
        return None
    return SqlClipCatalogue(make_engine(f"sqlite:///{database}", application=application))
