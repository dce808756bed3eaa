"""`python -m scenescore_composer.provision`: builds the starter corpus where it is not there yet.

Run once before the composer starts, after `scenescore_shared.provision`; running it again does no harm.
"""

from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_composer.corpus.starter import build_starter
from scenescore_composer.settings import ComposerSettings
from scenescore_shared.logs import configure_logging, get_logger
from scenescore_shared.wiring import build_blob_store, build_engine


def main() -> None:
    settings = ComposerSettings()
    configure_logging(settings.log, service="composer-provision")
    engine = build_engine(settings, application="scenescore-composer-provision")
    report = build_starter(SqlClipCatalogue(engine), build_blob_store(settings))
    engine.dispose()
    log = get_logger(__name__)
    for skipped in report.skipped:
        log.warning("work_skipped", source=skipped.source, reason=skipped.reason)
    log.info("corpus_ready", built=report.built, clips=dict(report.clips))


if __name__ == "__main__":
    main()
