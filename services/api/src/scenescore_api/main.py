"""The API's composition root."""

import sys
from datetime import timedelta

from fastapi import FastAPI
from uuid_utils.compat import uuid7

from scenescore_api.app import make_app
from scenescore_api.doors import Doors
from scenescore_api.loopback import NEEDS_KEYS, is_loopback
from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_api.queue_places import QueuePlaces
from scenescore_api.ratings.service import RatingService
from scenescore_api.service import JobService
from scenescore_api.serving import Server, server_config
from scenescore_api.settings import ApiSettings
from scenescore_api.webhooks.addresses import AddressRules
from scenescore_api.webhooks.service import WebhookService
from scenescore_api.webhooks.signing import signing_key
from scenescore_shared.logs import configure_logging
from scenescore_shared.wiring import (
    build_api_keys,
    build_blob_store,
    build_clock,
    build_delivery_repository,
    build_engine,
    build_idempotency_keys,
    build_job_repository,
    build_listening_session_repository,
    build_publisher,
    build_rate_limiter,
    build_rating_repository,
    build_secret_repository,
)

_NOT_STARTED = 3
"""As `uvicorn.run` exits."""
_USAGE = 2


def create_app(settings: ApiSettings) -> FastAPI:
    """The application on the adapters that the settings name. Connects to nothing yet."""
    engine = build_engine(settings, application="scenescore-api")
    limits = PictureLimits(max_bytes=settings.api.max_upload_bytes, max_pixels=settings.api.max_pixels)
    clock = build_clock(engine)
    webhooks = WebhookService(
        deliveries=build_delivery_repository(engine),
        secrets=build_secret_repository(engine),
        clock=clock,
        key=signing_key(settings),
        rules=AddressRules(allowed=settings.webhooks.allowed_networks),
    )
    jobs = build_job_repository(engine)
    service = JobService(
        jobs=jobs,
        idempotency_keys=build_idempotency_keys(engine),
        blobs=build_blob_store(settings),
        publisher=build_publisher(settings, name="scenescore-api"),
        places=QueuePlaces(jobs, clock),
        clock=clock,
        pictures=PictureReader(limits, pixels_at_once=settings.api.max_pixels_at_once),
        emotions=settings.emotions,
        new_id=lambda: str(uuid7()),
        presigned_for=timedelta(seconds=settings.api.presigned_seconds),
        retention=settings.retention,
        max_unfinished=settings.limits.unfinished_jobs or None,
        webhooks=webhooks,
    )
    doors = Doors(
        clock=clock,
        session_lasts=timedelta(seconds=settings.api.session_seconds),
        keys=build_api_keys(engine),
        limiter=build_rate_limiter(settings),
        keys_required=settings.api.require_keys,
        limits=settings.limits.of_requests,
        submission_limits=settings.limits.of_submissions,
        listening_limits=settings.limits.of_listening,
    )
    ratings = RatingService(
        jobs=service,
        ratings=build_rating_repository(engine),
        sessions=build_listening_session_repository(engine),
        new_id=lambda: str(uuid7()),
    )
    return make_app(service, settings, doors=doors, ratings=ratings, on_shutdown=engine.dispose)


def main() -> None:
    settings = ApiSettings()
    if not (settings.api.require_keys or is_loopback(settings.api.host)):
        sys.stderr.write(f"scenescore_api: {NEEDS_KEYS.format(host=settings.api.host or 'every address')}\n")
        sys.exit(_USAGE)
    configure_logging(settings.log, service="api")
    app = create_app(settings)
    config = server_config(
        app,
        host=settings.api.host,
        port=settings.api.port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=30,
    )
    server = Server(config, on_shutdown=app.state.watch.close)
    server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)
