"""owners, keys, idempotency, webhooks, and the end of files"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "hash", sa.String(length=64), nullable=False, comment="SHA-256 of the key, which nobody keeps"
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "owner", sa.String(length=64), nullable=False, comment="whose jobs: several keys may share one"
        ),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column(
            "owner", sa.String(length=64), nullable=False, comment="empty where the server asks for no key"
        ),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column(
            "token", sa.String(length=64), nullable=False, comment="of the request that is working on it"
        ),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "webhook_secrets",
        sa.Column(
            "id",
            sa.String(length=32),
            nullable=False,
            comment="the secret is derived from it and kept nowhere",
        ),
        sa.Column(
            "owner", sa.String(length=64), nullable=False, comment="empty where the server asks for no key"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_owner", "webhook_secrets", ["owner"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "owner", sa.String(length=64), nullable=False, comment="empty where the server asks for no key"
        ),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="the very bytes that are signed"),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "steps",
            sa.Integer(),
            nullable=False,
            comment="of the schedule, gone by since the beginning or the last replay",
        ),
        sa.Column(
            "first_tried_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the first attempt of this schedule, which counts from it",
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of the next attempt, or the end of the present one's lease",
        ),
        sa.Column("lease_token", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_webhook_deliveries_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(
        "ix_webhook_deliveries_due_at",
        "webhook_deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_webhook_deliveries_job_id", "webhook_deliveries", ["job_id"], unique=False)
    op.create_table(
        "webhook_attempts",
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name=op.f("fk_webhook_attempts_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_webhook_attempts")),
    )
    op.add_column("jobs", sa.Column("owner", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("files_gone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_jobs_finished_at_with_files",
        "jobs",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL AND files_gone_at IS NULL"),
        sqlite_where=sa.text("finished_at IS NOT NULL AND files_gone_at IS NULL"),
    )
    op.create_index(
        "ix_jobs_finished_at_without_files",
        "jobs",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("files_gone_at IS NOT NULL"),
        sqlite_where=sa.text("files_gone_at IS NOT NULL"),
    )
    op.create_index("ix_jobs_owner_id", "jobs", ["owner", "id"], unique=False)
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["step", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND lease_token IS NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL AND lease_token IS NULL"),
    )
    op.create_index(
        "ix_jobs_owner_unfinished",
        "jobs",
        ["owner", "status", "step"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_column("jobs", "expires_at")


def downgrade() -> None:
    op.add_column("jobs", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    for name in (
        "ix_jobs_waiting",
        "ix_jobs_owner_unfinished",
        "ix_jobs_owner_id",
        "ix_jobs_finished_at_without_files",
        "ix_jobs_finished_at_with_files",
    ):
        op.drop_index(name, table_name="jobs")
    op.drop_column("jobs", "files_gone_at")
    op.drop_column("jobs", "owner")
    for name in ("webhook_attempts", "webhook_deliveries", "webhook_secrets", "idempotency_keys", "api_keys"):
        op.drop_table(name)
