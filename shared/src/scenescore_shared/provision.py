"""`python -m scenescore_shared.provision`: brings the database to the newest schema and makes the bucket.

Run once before the services start; running it again, or twice at once, does no harm.
"""

from scenescore_shared.adapters.sql.migrate import migrate
from scenescore_shared.logs import configure_logging, get_logger
from scenescore_shared.settings import CommonSettings
from scenescore_shared.wiring import build_engine, build_s3_store


def provision(settings: CommonSettings) -> None:
    engine = build_engine(settings, application="scenescore-provision")
    migrate(engine)
    engine.dispose()
    if settings.storage.bucket is not None:
        build_s3_store(settings.storage, settings.storage.bucket).create_bucket()


def main() -> None:
    settings = CommonSettings()
    configure_logging(settings.log, service="provision")
    provision(settings)
    get_logger(__name__).info("provisioned")


if __name__ == "__main__":
    main()
