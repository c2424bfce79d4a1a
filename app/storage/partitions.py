"""Partitions by time: what grows without end, in pieces that are dropped whole.

PostgreSQL only. Ids sort by time (`app.core.timed_ids`), so ranges of ids are ranges of
time, and every key and question is as it would be without partitions. Each piece is named
after its last day: ``deliveries_20260331``. To drop one costs the same for ten rows as for
ten million; to delete the rows would write each of them once more.

- Pieces are made days ahead of the ids that go into them. What fits into none falls into
  ``…_default``, the net, and leaves it row by row (`app.storage.pruning`).
- A piece goes when all of it is older than the retention and nothing that waits needs it.
  That is asked before anything is locked, and then again, under the lock, of what began to
  wait since.
- Locks are waited for very briefly: behind who waits for one, everybody waits. What could
  not be had is left for the next time.
"""

import contextlib
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, text

from app.core import ids
from app.core.errors import UnavailableError
from app.core.records import PartitionChanges
from app.core.timed_ids import first_id
from app.storage.database import Database

DAY = timedelta(days=1)
# How the ids of each table begin; those that refer to others before what they refer to.
_PREFIXES = {
    "attempts": ids.ATTEMPT,
    "deliveries": ids.DELIVERY,
    "payloads": ids.PAYLOAD,
    "events": ids.EVENT,
}
# An event is stored a moment before its deliveries, perhaps on the day before.
_LONGER = {"payloads": DAY, "events": DAY}
# A retention is about so many pieces: each one more makes every claim a little dearer.
_PIECES = 10
# A job that fails over a long weekend is still no harm.
_AHEAD = timedelta(days=4)
_LOCK_TIMEOUT = "200ms"
_STATEMENT_TIMEOUT = "2s"
# The clocks of two machines differ by less.
_SKEW = timedelta(minutes=10)
_BOUNDS = re.compile(r"FROM \((?:MINVALUE|'(?P<low>.*)')\) TO \('(?P<high>.*)'\)")

_OF_A_TABLE = text(
    "SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds"
    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = CAST(:table AS regclass) ORDER BY c.relname"
)
# What keeps a piece: some delivery that waits and …
_NEEDS = {
    "attempts": "id < :as_delivery",  # … may have attempts in it
    "deliveries": "id >= :low AND id < :high",
    "payloads": "payload_id >= :low AND payload_id < :high",
    "events": "event_id >= :low AND event_id < :high",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A piece of a table: ids from ``low`` to before ``high``."""

    table: str
    name: str
    low: str
    high: str


def keep(database: Database, *, now: datetime, retention: timedelta) -> PartitionChanges:
    """Make the pieces of the next days, and drop those that nobody needs any more."""
    changes = _Changes()
    for table in _PREFIXES:
        before = now - retention - _LONGER.get(table, timedelta())
        with contextlib.suppress(UnavailableError):  # locked: the next time will do
            changes.made += _make_ahead(database, table, now=now, retention=retention)
            for piece in _old_ones(database, table, before=before):
                is_gone = _drop(database, piece, now=now)
                (changes.dropped if is_gone else changes.kept).append(piece.name)
    return PartitionChanges(
        made=tuple(changes.made), dropped=tuple(changes.dropped), kept=tuple(changes.kept)
    )


@dataclass(slots=True)
class _Changes:
    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def days_of_a_piece(retention: timedelta) -> int:
    """Return how many days a piece holds."""
    return max(1, retention.days // _PIECES)


def end_of_the_pruned(connection: Connection, *, before: datetime) -> str:
    """Return the end of the last piece of events out of which single rows may go.

    Those are the pieces that something kept beyond their time, and the first one: it holds
    whatever was there before there were any, of many days.
    """
    end = first_id(_PREFIXES["events"], before - _LONGER["events"])
    pieces = _pieces(connection, "events")
    return max((one.high for one in pieces if one.high <= end or not one.low), default="")


def _old_ones(database: Database, table: str, *, before: datetime) -> list[Partition]:
    """Return the pieces of a table with nothing in them that is younger, oldest first."""
    end = first_id(_PREFIXES[table], before)
    with database.reading() as connection:
        _wait_briefly(connection)
        return [piece for piece in _pieces(connection, table) if piece.high <= end]


def _pieces(connection: Connection, table: str) -> list[Partition]:
    """Return the pieces of a table but for the net, oldest first."""
    found = []
    for row in connection.execute(_OF_A_TABLE, {"table": table}):
        bounds = _BOUNDS.search(row.bounds)
        if bounds:
            low, high = bounds["low"] or "", bounds["high"]
            found.append(Partition(table=table, name=row.name, low=low, high=high))
    return sorted(found, key=lambda piece: piece.high)


# Making.


def _make_ahead(
    database: Database, table: str, *, now: datetime, retention: timedelta
) -> list[str]:
    with database.writing() as connection:
        _wait_briefly(connection)
        missing = _missing(connection, table, now=now, days=days_of_a_piece(retention))
        return [_make(connection, table, first, end) for first, end in missing]


def _missing(
    connection: Connection, table: str, *, now: datetime, days: int
) -> list[tuple[date, date]]:
    """Return from which to before which day the pieces go that should be there by now.

    The first one begins where the last one ends. Where that is in the past, the net holds
    what came since; then it begins tomorrow, where nothing can be yet.
    """
    prefix, today = _PREFIXES[table], now.astimezone(UTC).date()
    pieces = _pieces(connection, table)
    first = today + DAY
    while pieces and first_id(prefix, _midnight(first)) < pieces[-1].high:
        first += DAY
    found = []
    while first <= today + _AHEAD:
        found.append((first, first + days * DAY))
        first += days * DAY
    return found


def _make(connection: Connection, table: str, first_day: date, end_day: date) -> str:
    prefix, name = _PREFIXES[table], f"{table}_{end_day - DAY:%Y%m%d}"
    low, high = (first_id(prefix, _midnight(day)) for day in (first_day, end_day))
    # Made beside the table and then attached: that locks out nobody who reads or writes it.
    connection.exec_driver_sql(
        f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    )
    connection.exec_driver_sql(
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
    )
    return name


# Dropping.


def _drop(database: Database, piece: Partition, *, now: datetime) -> bool:
    """Drop a piece that nothing waits for; say whether it is gone."""
    try:
        with database.reading() as connection:
            if _is_needed(connection, piece):
                return False
        with database.writing() as connection:
            _wait_briefly(connection)
            connection.exec_driver_sql(f"LOCK TABLE ONLY {piece.table}")
            if _is_needed(connection, piece, since=now - _SKEW):
                return False
            connection.exec_driver_sql(f"ALTER TABLE {piece.table} DETACH PARTITION {piece.name}")
            connection.exec_driver_sql(f"DROP TABLE {piece.name}")
    except UnavailableError:
        return False
    return True


def _is_needed(connection: Connection, piece: Partition, *, since: datetime | None = None) -> bool:
    """Return whether a delivery needs the piece that waits, or waits for a time ``since``."""
    asked = {
        "low": piece.low,
        "high": piece.high,
        "as_delivery": piece.high.replace(ids.ATTEMPT, ids.DELIVERY, 1),
        "since": since,
    }
    needs = text(_question(_NEEDS[piece.table], "IS NOT NULL" if since is None else ">= :since"))
    is_needed: bool = connection.execute(needs, asked).scalar_one()
    return is_needed


def _question(need: str, when: str) -> str:
    """Return the question in two halves, as each has an index of its own."""
    halves = [
        f"EXISTS (SELECT FROM deliveries WHERE {place} {when} AND {need})"  # our words
        for place in ("due_at", "lane_at")
    ]
    return f"SELECT {' OR '.join(halves)}"


def _wait_briefly(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
