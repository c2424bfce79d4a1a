"""What Alembic runs: the migrations, on the connection that the caller opened.

See `app.storage.migrate`. The caller owns the transaction, so that a migration that
fails half-way leaves nothing behind.
"""

from alembic import context

from app.storage.migrate import comparison
from app.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    **comparison(connection.dialect.name),
)
context.run_migrations()
