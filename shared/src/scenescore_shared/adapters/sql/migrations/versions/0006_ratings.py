"""listeners' ratings, and the sessions in which they listen"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "listening_sessions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, comment="SHA-256 of the link's token"),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listening_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_listening_sessions_token_hash")),
    )
    op.create_index("ix_listening_sessions_owner_id", "listening_sessions", ["owner", "id"])
    op.create_table(
        "listening_items",
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.String(16), nullable=False, comment="what listeners know the piece by"),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["listening_sessions.id"],
            name=op.f("fk_listening_items_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_listening_items_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "id", name=op.f("pk_listening_items")),
    )
    op.create_index("ix_listening_items_job_id", "listening_items", ["job_id"])
    op.create_table(
        "ratings",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("output", sa.String(64), nullable=False),
        sa.Column("listener", sa.String(64), nullable=False),
        sa.Column(
            "session_id",
            sa.Uuid(as_uuid=False),
            nullable=True,
            comment="null: given outside of any listening session",
        ),
        sa.Column("quality", sa.String(16), nullable=False),
        sa.Column("fit", sa.String(16), nullable=True, comment="null where the job has no picture"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_ratings_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["listening_sessions.id"],
            name=op.f("fk_ratings_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
    )
    op.create_index(
        "uq_ratings_in_session",
        "ratings",
        ["session_id", "listener", "job_id", "output"],
        unique=True,
        postgresql_where=sa.text("session_id IS NOT NULL"),
        sqlite_where=sa.text("session_id IS NOT NULL"),
    )
    op.create_index(
        "uq_ratings_outside_sessions",
        "ratings",
        ["job_id", "output", "listener"],
        unique=True,
        postgresql_where=sa.text("session_id IS NULL"),
        sqlite_where=sa.text("session_id IS NULL"),
    )
    op.create_index("ix_ratings_job_id_id", "ratings", ["job_id", "id"])


def downgrade() -> None:
    for name in ("ratings", "listening_items", "listening_sessions"):
        op.drop_table(name)
