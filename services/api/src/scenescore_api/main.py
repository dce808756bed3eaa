"""The API's composition root."""

from datetime import timedelta

import uvicorn
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from scenescore_api.app import make_app
from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings
from scenescore_api.webhooks.addresses import AddressRules
from scenescore_api.webhooks.service import WebhookService
from scenescore_api.webhooks.signing import signing_key
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.logs import configure_logging
from scenescore_shared.wiring import (
    build_blob_store,
    build_delivery_repository,
    build_engine,
    build_job_repository,
    build_publisher,
    build_secret_repository,
)


def create_app(settings: ApiSettings) -> FastAPI:
    """The application on the adapters that the settings name. Connects to nothing yet."""
    engine = build_engine(settings, application="scenescore-api")
    limits = PictureLimits(max_bytes=settings.api.max_upload_bytes, max_pixels=settings.api.max_pixels)
    clock = SystemClock()
    webhooks = WebhookService(
        deliveries=build_delivery_repository(engine),
        secrets=build_secret_repository(engine),
        clock=clock,
        key=signing_key(settings),
        rules=AddressRules(allowed=settings.webhooks.allowed_networks),
    )
    service = JobService(
        jobs=build_job_repository(engine),
        blobs=build_blob_store(settings),
        publisher=build_publisher(settings, name="scenescore-api"),
        clock=clock,
        pictures=PictureReader(limits, pixels_at_once=settings.api.max_pixels_at_once),
        emotions=settings.emotions,
        new_id=lambda: str(uuid7()),
        presigned_for=timedelta(seconds=settings.api.presigned_seconds),
        webhooks=webhooks,
    )
    return make_app(service, settings, on_shutdown=engine.dispose)


def main() -> None:
    settings = ApiSettings()
    configure_logging(settings.log, service="api")
    uvicorn.run(
        create_app(settings),
        host=settings.api.host,
        port=settings.api.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=30,
    )
