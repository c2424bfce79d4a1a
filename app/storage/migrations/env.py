"""What Alembic runs: the migrations, on the connection that the caller opened.

See `app.storage.migrate`. The caller owns the transaction, so that a migration that
fails half-way leaves nothing behind.
"""

from alembic import context

from app.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
)
context.run_migrations()
