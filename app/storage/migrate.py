"""Bringing a database to the shape of `app.storage.tables`."""

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, inspect, select, table

from app.storage.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

# Where Alembic notes how far a database is.
_VERSION = table("alembic_version", column("version_num"))
_STEP = re.compile(r"v(\d{4})_\w+\.py")
_PARTITIONED = ("events", "payloads", "deliveries", "attempts")
_PIECE = re.compile(rf"({'|'.join(_PARTITIONED)})_(default|\d{{8}})")


def upgrade(database: Database) -> None:
    """Apply the migrations that are missing, in one transaction: all of them or none.

    Two processes may do it at the same time: the second one waits and finds no more to do.
    """
    if current_revision(database) == last_revision():
        return
    from alembic import command  # noqa: PLC0415  # 11 MB, for the few starts that need it

    with database.upgrading() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current_revision(database: Database) -> str | None:
    """Return the last migration that was applied, or None for an empty database."""
    with database.reading() as connection:
        if not inspect(connection).has_table(_VERSION.name):
            return None
        # The last migration.
        return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


@cache
def last_revision() -> str:
    """Return the last migration that there is, as the names of their files say."""
    names = (entry.name for entry in files("app.storage.migrations.versions").iterdir())
    return max(found[1] for name in names if (found := _STEP.match(name)))


def alembic_config() -> "Config":
    """Return Alembic's configuration; its scripts are part of this package."""
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", "app.storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


def comparison(dialect_name: str) -> dict[str, Any]:
    """Return how Alembic compares a database with `app.storage.tables`.

    On PostgreSQL the tables that are kept in partitions have no foreign keys (migration
    0003 says why), and their pieces are no tables of their own.
    """
    if dialect_name != "postgresql":
        return {"compare_type": True}
    return {"compare_type": True, "include_name": _is_whole, "include_object": _is_made}


def _is_whole(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or _PIECE.fullmatch(name or "") is None


def _is_made(
    described: Any, _name: str | None, kind: str, _is_reflected: object, _other: object
) -> bool:
    return kind != "foreign_key_constraint" or described.table.name not in _PARTITIONED
