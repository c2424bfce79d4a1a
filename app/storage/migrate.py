"""Bringing a database to the shape of `app.storage.tables`."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from app.storage.database import Database


def upgrade(database: Database) -> None:
    """Apply the migrations that are missing, in one transaction: all of them or none.

    Two processes may do it at the same time: the second one waits and finds no more to do.
    """
    with database.upgrading() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current_revision(database: Database) -> str | None:
    """Return the last migration that was applied, or None for an empty database."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def alembic_config() -> Config:
    """Return Alembic's configuration; its scripts are part of this package."""
    config = Config()
    config.set_main_option("script_location", "app.storage:migrations")
    config.set_main_option("path_separator", "os")
    return config
