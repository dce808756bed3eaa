"""Builds the adapters that the settings name. For composition roots (`main`, `worker`) only."""

from typing import TYPE_CHECKING

from celery import Celery
from sqlalchemy import Engine

from scenescore_shared.adapters.celery import CeleryTaskPublisher, make_celery
from scenescore_shared.adapters.directory import DirectoryBlobStore
from scenescore_shared.adapters.s3 import S3BlobStore, make_client
from scenescore_shared.adapters.sql.engine import make_engine, sqlite_file
from scenescore_shared.adapters.sql.jobs import SqlJobRepository
from scenescore_shared.adapters.sql.locks import SWEEP_LOCK_KEY, advisory_lock, file_lock
from scenescore_shared.adapters.sql.webhooks import SqlDeliveryRepository, SqlSecretRepository
from scenescore_shared.ports import BlobStore, TaskPublisher
from scenescore_shared.settings import CommonSettings, StorageSettings
from scenescore_shared.webhooks import DeliveryRepository, SecretRepository

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def build_engine(settings: CommonSettings, *, application: str) -> Engine:
    return make_engine(settings.database_url, application=application)


def build_job_repository(engine: Engine) -> SqlJobRepository:
    if engine.dialect.name == "sqlite":
        beside = sqlite_file(engine.url).with_suffix(".sweep-lock")
        return SqlJobRepository(engine, lambda: file_lock(beside))
    return SqlJobRepository(engine, lambda: advisory_lock(engine, SWEEP_LOCK_KEY))


def build_delivery_repository(engine: Engine) -> DeliveryRepository:
    return SqlDeliveryRepository(engine)


def build_secret_repository(engine: Engine) -> SecretRepository:
    return SqlSecretRepository(engine)


def build_blob_store(settings: CommonSettings) -> BlobStore:
    storage = settings.storage
    if storage.bucket is None:
        return DirectoryBlobStore(settings.data_dir / "objects")
    return build_s3_store(storage, storage.bucket)


def build_s3_store(storage: StorageSettings, bucket: str) -> S3BlobStore:
    public = _s3_client(storage, storage.public_endpoint_url) if storage.public_endpoint_url else None
    return S3BlobStore(_s3_client(storage, storage.endpoint_url), bucket, public_client=public)


def build_worker_app(settings: CommonSettings, *, name: str) -> Celery:
    return make_celery(settings.broker_url, name=name)


def build_publisher(settings: CommonSettings, *, name: str) -> TaskPublisher:
    return CeleryTaskPublisher(make_celery(settings.broker_url, name=name, producer_only=True))


def _s3_client(storage: StorageSettings, endpoint_url: str | None) -> "S3Client":
    secret = storage.secret_access_key
    return make_client(
        endpoint_url=endpoint_url,
        region=storage.region,
        access_key_id=storage.access_key_id or "",
        secret_access_key=secret.get_secret_value() if secret else "",
    )
