"""places in the queue are told from a copy of its head, which needs no index of its own"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index("ix_jobs_waiting", table_name="jobs")


def downgrade() -> None:
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["step", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND lease_token IS NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL AND lease_token IS NULL"),
    )
