"""browsers' sessions, which stand for a key"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "key_sessions",
        sa.Column(
            "hash", sa.String(64), nullable=False, comment="SHA-256 of the token, which only a browser keeps"
        ),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name=op.f("fk_key_sessions_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_key_sessions")),
    )
    op.create_index("ix_key_sessions_expires_at", "key_sessions", ["expires_at"])


def downgrade() -> None:
    op.drop_table("key_sessions")
