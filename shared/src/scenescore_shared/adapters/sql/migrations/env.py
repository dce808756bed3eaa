"""Alembic's entry point: runs on the connection that `migrate` gives it."""

from alembic import context

from scenescore_shared.adapters.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
