"""What Alembic runs for every command; `migrations.py` passes the connection, the metadata and a progress callback."""

from alembic import context

attributes = context.config.attributes

context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    on_version_apply=attributes["on_version_apply"],
    compare_server_default=True,
    transaction_per_migration=True,  # a revision that fails does not undo those before it
)
with context.begin_transaction():
    context.run_migrations()
