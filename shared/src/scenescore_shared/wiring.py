"""Builds the adapters that the settings name. For composition roots (`main`, `worker`) only."""

from typing import TYPE_CHECKING

from celery import Celery
from sqlalchemy import Engine

from scenescore_shared.adapters.celery import CeleryTaskPublisher, make_celery
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.adapters.directory import DirectoryBlobStore
from scenescore_shared.adapters.redis_limits import RedisRateLimiter
from scenescore_shared.adapters.s3 import S3BlobStore, make_client
from scenescore_shared.adapters.sql.blob_index import SqlBlobIndex
from scenescore_shared.adapters.sql.clock import DatabaseClock
from scenescore_shared.adapters.sql.engine import make_engine, sqlite_file
from scenescore_shared.adapters.sql.idempotency import SqlIdempotencyKeys
from scenescore_shared.adapters.sql.jobs import SqlJobRepository
from scenescore_shared.adapters.sql.keys import SqlApiKeys
from scenescore_shared.adapters.sql.listening import SqlListeningSessionRepository
from scenescore_shared.adapters.sql.locks import advisory_lock, file_lock
from scenescore_shared.adapters.sql.ratings import SqlRatingRepository
from scenescore_shared.adapters.sql.webhooks import SqlDeliveryRepository, SqlSecretRepository
from scenescore_shared.fakes import InMemoryRateLimiter
from scenescore_shared.listening_ports import ListeningSessionRepository, RatingRepository
from scenescore_shared.ports import (
    ApiKeys,
    BlobIndex,
    BlobStore,
    Clock,
    IdempotencyKeys,
    RateLimiter,
    Sweep,
    TaskPublisher,
)
from scenescore_shared.settings import CommonSettings, StorageSettings
from scenescore_shared.webhooks import DeliveryRepository, SecretRepository

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_SWEEP_LOCK_KEYS = {Sweep.WAKING: 0x5CE4E5C0, Sweep.HOUSEKEEPING: 0x5CE4E5C2}


def build_engine(settings: CommonSettings, *, application: str) -> Engine:
    return make_engine(settings.database_url, application=application)


def build_job_repository(engine: Engine) -> SqlJobRepository:
    if engine.dialect.name == "sqlite":
        beside = sqlite_file(engine.url)
        return SqlJobRepository(engine, lambda sweep: file_lock(beside.with_suffix(f".{sweep}-lock")))
    return SqlJobRepository(engine, lambda sweep: advisory_lock(engine, _SWEEP_LOCK_KEYS[sweep]))


def build_blob_index(engine: Engine) -> BlobIndex:
    return SqlBlobIndex(engine)


def build_clock(engine: Engine) -> Clock:
    """One clock for all machines that share a database; SQLite's users share the machine."""
    return SystemClock() if engine.dialect.name == "sqlite" else DatabaseClock(engine, until=SystemClock())


def build_idempotency_keys(engine: Engine) -> IdempotencyKeys:
    return SqlIdempotencyKeys(engine)


def build_api_keys(engine: Engine) -> ApiKeys:
    return SqlApiKeys(engine)


def build_rate_limiter(settings: CommonSettings) -> RateLimiter:
    """In Redis, for all replicas together, where the broker is one; else in this process."""
    if settings.broker_url.startswith(("redis:", "rediss:")):
        return RedisRateLimiter(settings.broker_url, meanwhile=InMemoryRateLimiter())
    return InMemoryRateLimiter()


def build_delivery_repository(engine: Engine) -> DeliveryRepository:
    return SqlDeliveryRepository(engine)


def build_secret_repository(engine: Engine) -> SecretRepository:
    return SqlSecretRepository(engine)


def build_rating_repository(engine: Engine) -> RatingRepository:
    return SqlRatingRepository(engine)


def build_listening_session_repository(engine: Engine) -> ListeningSessionRepository:
    return SqlListeningSessionRepository(engine)


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
