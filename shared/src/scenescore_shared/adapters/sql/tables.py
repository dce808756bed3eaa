"""Every table of Scenescore. The migrations beside this file make them; a test holds the two together."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times; SQLite, which keeps no zone, gets and gives them as UTC too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _json(name: str, *, nullable: bool = True) -> Column[Any]:
    # plain JSON, not JSONB: a mix keeps the order of its emotions
    return Column(name, JSON(none_as_null=True), nullable=nullable)


jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("step", String(16)),
    Column("due_at", UtcDateTime, comment="when a worker may claim the job; null once it has ended"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("woken_at", UtcDateTime),
    Column("request_id", String(128), nullable=False),
    Column("owner", String(64)),
    Column("progress", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_token", String(64)),
    Column("lease_expires_at", UtcDateTime),
    Column("next_attempt_at", UtcDateTime),
    Column("cancel_requested", Boolean, nullable=False),
    _json("options", nullable=False),
    _json("picture"),
    _json("emotions"),
    _json("outputs", nullable=False),
    _json("music"),
    _json("provenance", nullable=False),
    _json("error"),
    _json("warnings"),
    Column("step_started_at", UtcDateTime),
    _json("step_seconds", nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("files_gone_at", UtcDateTime),
    Column("seq", Integer, nullable=False),
)
# what workers claim by, and the queue as its members see it: only unfinished jobs are in it, so a million finished
# ones cost nothing
Index(
    "ix_jobs_step_due_at",
    jobs.c.step,
    jobs.c.due_at,
    postgresql_where=jobs.c.due_at.is_not(None),
    sqlite_where=jobs.c.due_at.is_not(None),
)
Index("ix_jobs_status_id", jobs.c.status, jobs.c.id)
Index("ix_jobs_owner_id", jobs.c.owner, jobs.c.id)
# what counts against a quota, and what Prometheus counts: from the index alone, without its rows
Index(
    "ix_jobs_owner_unfinished",
    jobs.c.owner,
    jobs.c.status,
    jobs.c.step,
    postgresql_where=jobs.c.due_at.is_not(None),
    sqlite_where=jobs.c.due_at.is_not(None),
)
# what expires: first the files, later the row
Index(
    "ix_jobs_finished_at_with_files",
    jobs.c.finished_at,
    postgresql_where=jobs.c.finished_at.is_not(None) & jobs.c.files_gone_at.is_(None),
    sqlite_where=jobs.c.finished_at.is_not(None) & jobs.c.files_gone_at.is_(None),
)
Index(
    "ix_jobs_finished_at_without_files",
    jobs.c.finished_at,
    postgresql_where=jobs.c.files_gone_at.is_not(None),
    sqlite_where=jobs.c.files_gone_at.is_not(None),
)

job_events = Table(
    "job_events",
    metadata,
    Column("job_id", Uuid(as_uuid=False), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    _json("data", nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True, comment="SHA-256 of the key, which nobody keeps"),
    Column("name", Text, nullable=False),
    Column("owner", String(64), nullable=False, comment="whose jobs: several keys may share one"),
    _json("scopes", nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

key_sessions = Table(
    "key_sessions",
    metadata,
    Column("hash", String(64), primary_key=True, comment="SHA-256 of the token, which only a browser keeps"),
    Column("key_id", String(32), ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
Index("ix_key_sessions_expires_at", key_sessions.c.expires_at)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String(64), primary_key=True, comment="empty where the server asks for no key"),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("token", String(64), nullable=False, comment="of the request that is working on it"),
    Column("reserved_until", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    _json("answer"),
)
Index("ix_idempotency_keys_created_at", idempotency_keys.c.created_at)

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", String(32), primary_key=True, comment="the secret is derived from it and kept nowhere"),
    Column("owner", String(64), nullable=False, comment="empty where the server asks for no key"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)
Index("ix_webhook_secrets_owner", webhook_secrets.c.owner)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("job_id", Uuid(as_uuid=False), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("owner", String(64), nullable=False, comment="empty where the server asks for no key"),
    Column("url", Text, nullable=False),
    Column("type", String(64), nullable=False),
    Column("body", Text, nullable=False, comment="the very bytes that are signed"),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column(
        "steps",
        Integer,
        nullable=False,
        comment="of the schedule, gone by since the beginning or the last replay",
    ),
    Column("first_tried_at", UtcDateTime, comment="the first attempt of this schedule, which counts from it"),
    Column("due_at", UtcDateTime, comment="of the next attempt, or the end of the present one's lease"),
    Column("lease_token", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)
Index("ix_webhook_deliveries_job_id", webhook_deliveries.c.job_id)
Index(
    "ix_webhook_deliveries_due_at",
    webhook_deliveries.c.due_at,
    postgresql_where=webhook_deliveries.c.due_at.is_not(None),
    sqlite_where=webhook_deliveries.c.due_at.is_not(None),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column(
        "delivery_id", String(64), ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("status_code", Integer),
    Column("error", Text),
    Column("seconds", Float, nullable=False),
)

listening_sessions = Table(
    "listening_sessions",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True, comment="SHA-256 of the link's token"),
    Column("owner", String(64)),
    Column("title", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closes_at", UtcDateTime),
)
Index("ix_listening_sessions_owner_id", listening_sessions.c.owner, listening_sessions.c.id)

listening_items = Table(
    "listening_items",
    metadata,
    Column(
        "session_id",
        Uuid(as_uuid=False),
        ForeignKey("listening_sessions.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("id", String(16), primary_key=True, comment="what listeners know the piece by"),
    Column("job_id", Uuid(as_uuid=False), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
)
Index("ix_listening_items_job_id", listening_items.c.job_id)

ratings = Table(
    "ratings",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("job_id", Uuid(as_uuid=False), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("output", String(64), nullable=False),
    Column("listener", String(64), nullable=False),
    Column(
        "session_id",
        Uuid(as_uuid=False),
        ForeignKey("listening_sessions.id", ondelete="CASCADE"),
        comment="null: given outside of any listening session",
    ),
    Column("quality", String(16), nullable=False),
    Column("fit", String(16), comment="null where the job has no picture"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
# once for each listener: two indexes, since null is never equal to null
Index(
    "uq_ratings_in_session",
    ratings.c.session_id,
    ratings.c.listener,
    ratings.c.job_id,
    ratings.c.output,
    unique=True,
    postgresql_where=ratings.c.session_id.is_not(None),
    sqlite_where=ratings.c.session_id.is_not(None),
)
Index(
    "uq_ratings_outside_sessions",
    ratings.c.job_id,
    ratings.c.output,
    ratings.c.listener,
    unique=True,
    postgresql_where=ratings.c.session_id.is_(None),
    sqlite_where=ratings.c.session_id.is_(None),
)
Index("ix_ratings_job_id_id", ratings.c.job_id, ratings.c.id)

corpora = Table(
    "corpora",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
)

clips = Table(
    "clips",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("corpus", String(64), ForeignKey("corpora.name", ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("song", Text, nullable=False),
    Column("emotion", String(32), nullable=False),
    Column("licence", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    _json("features", nullable=False),
    Column("tokens", LargeBinary, nullable=False, comment="little-endian uint16, so that no job parses MIDI"),
    Column("tokens_version", String(64), nullable=False),
    Column("blob_key", String(512), nullable=False),
)
Index("ix_clips_corpus_emotion", clips.c.corpus, clips.c.emotion)
