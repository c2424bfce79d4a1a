"""The store: the only home of SQLAlchemy, Alembic and cryptography.

A new engine is one module with an ``open_database`` and one line in `ENGINES`.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.storage import postgres, sqlite
from app.storage.bell import PostgresDoorbell
from app.storage.database import Database, DatabaseOptions, Durability
from app.storage.migrate import upgrade
from app.storage.store import SqlStore
from app.storage.vault import Vault, VaultError

__all__ = [
    "ENGINES",
    "DatabaseOptions",
    "Durability",
    "PostgresDoorbell",
    "SqlStore",
    "Vault",
    "VaultError",
    "open_bell",
    "open_store",
]

ENGINES: Mapping[str, Callable[[URL, DatabaseOptions], Database]] = {
    "sqlite": sqlite.open_database,
    "postgresql": postgres.open_database,
    "postgresql+psycopg": postgres.open_database,
}


def open_store(
    url: str,
    *,
    vault: Vault,
    options: DatabaseOptions | None = None,
    migrate: bool = False,
) -> SqlStore:
    """Return the store of a database URL, such as ``sqlite:///relais.db``.

    Or ``postgresql://user:password@host/name``.

    ``sqlite://`` is in memory: it starts empty and forgets. Without ``migrate`` nothing
    is connected yet; with it, missing migrations are applied first.

    Raises:
        ValueError: For a URL that names no engine of `ENGINES`.
        UnavailableError: With ``migrate``, where the database cannot be opened.
    """
    parsed = _parse(url)
    database = ENGINES[parsed.drivername](parsed, options or DatabaseOptions())
    if migrate:
        upgrade(database)
    return SqlStore(database, vault=vault)


def open_bell(url: str, *, listens: bool) -> PostgresDoorbell | None:
    """Return the bell of a database that has one; None for SQLite.

    Nothing is connected yet.

    Raises:
        ValueError: For a URL that names no engine of `ENGINES`.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "postgresql":
        return None
    return PostgresDoorbell(parsed, listens=listens)


def _parse(url: str) -> URL:
    """Return the URL; a refusal does not repeat it, as it may hold a password."""
    known = ", ".join(ENGINES)
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(f"Not a database URL; its scheme is one of: {known}.") from None
    if parsed.drivername not in ENGINES:
        raise ValueError(f"No engine for {parsed.drivername!r}; known ones: {known}.")
    return parsed
