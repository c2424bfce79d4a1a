"""SQLite: the embedded engine. A file for keeps, or memory for tests.

The driver of the standard library opens transactions on its own, late and only for some
statements. Here it opens none: every transaction begins with a ``BEGIN`` of ours. A
transaction that may write takes the writer's lock at once (``IMMEDIATE``); one that
began by reading could not take it later without seeing old data or a deadlock.
"""

import sqlite3
from contextlib import suppress
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool

from app.storage.database import AnyTime, Database, DatabaseOptions, FileTurns, Turns
from app.storage.faults import raise_if_known, translate_faults

# Threads of an API process that may read at the same time; connections are cheap.
MAX_CONNECTIONS = 64
# After a burst the write-ahead log is cut to this.
_MAX_IDLE_LOG_BYTES = 64 * 1024 * 1024


def open_database(url: URL, options: DatabaseOptions) -> Database:
    """Return the database of ``sqlite:///file`` or, with no file, one in memory.

    The database in memory has one connection, so that its transactions come one by one;
    it is gone when the store is closed.
    """
    in_memory = url.database in (None, "", ":memory:")
    engine = _memory_engine(url) if in_memory else _file_engine(url, options)
    event.listen(engine, "connect", partial(_prepare, options=options))
    translate_faults(engine)
    if in_memory:
        turns = Turns(patience=options.patience)
        return Database(engine, begin=_begin, read_turns=turns, write_turns=turns)
    file_turns = FileTurns(Path(str(url.database)), patience=options.patience)
    return Database(engine, begin=_begin, read_turns=AnyTime(), write_turns=file_turns)


def _memory_engine(url: URL) -> Engine:
    return create_engine(
        url,
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )


def _file_engine(url: URL, options: DatabaseOptions) -> Engine:
    _make_private(Path(url.database or ""))
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=MAX_CONNECTIONS,
        max_overflow=0,
        pool_timeout=options.patience.total_seconds(),
        hide_parameters=True,  # what people stored has no place in our error messages
    )


def _make_private(path: Path) -> None:
    """Let only its owner read a new database: it holds people's data.

    The log files beside it take its mode. Where it cannot be made, connecting says why.
    """
    with suppress(OSError):
        path.touch(mode=0o600, exist_ok=True)


def _prepare(
    connection: sqlite3.Connection, _entry: ConnectionPoolEntry, *, options: DatabaseOptions
) -> None:
    """Set up a new connection: no transactions of the driver's own, and our pragmas."""
    connection.isolation_level = None
    # First, so that the others wait for their locks too.
    connection.execute(f"PRAGMA busy_timeout = {options.patience.total_seconds() * 1000:.0f}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {options.durability.value}")
    connection.execute(f"PRAGMA journal_size_limit = {_MAX_IDLE_LOG_BYTES}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection, *, may_write: bool) -> None:
    """See `Begin`. Straight to the driver, as this opens every transaction there is."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA query_only = {'OFF' if may_write else 'ON'}")
        cursor.execute("BEGIN IMMEDIATE" if may_write else "BEGIN")
    except sqlite3.Error as error:
        raise_if_known(error)
        raise
