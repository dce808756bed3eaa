"""What every command needs before it can work: a database at the newest schema and a store for objects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_composer.corpus.clips import refresh_tokens
from scenescore_composer.corpus.starter import build_starter
from scenescore_shared.logs import configure_logging
from scenescore_shared.ports import BlobStore
from scenescore_shared.provision import provision
from scenescore_shared.wiring import build_blob_store, build_engine
from scenescore_standalone.settings import StandaloneSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpora:
    catalogue: SqlClipCatalogue
    blobs: BlobStore

    def make_usable(self) -> None:
        """Builds the starter corpus where there is none, and renews tokens that an older version wrote."""
        if self.catalogue.corpora():
            refresh_tokens(self.catalogue, self.blobs)
        else:
            build_starter(self.catalogue, self.blobs)


@contextmanager
def opened(settings: StandaloneSettings) -> Iterator[Corpora]:
    """The corpora in the data folder, which is made and brought up to date first."""
    configure_logging(settings.log, service="scenescore")
    provision(settings)
    engine = build_engine(settings, application="scenescore")
    try:
        yield Corpora(catalogue=SqlClipCatalogue(engine), blobs=build_blob_store(settings))
    finally:
        engine.dispose()
