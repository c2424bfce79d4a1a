"""A filled database, quickly: rows that Relais wrote, copied many times by the engine itself.

What a copy must have of its own (ids, times) is counted up; every other column is as
Relais wrote it. So this knows the tables by name, but neither all their columns nor what
they mean. Ids count up as real ones do, in the order of time, and sort before them.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

_CHUNK = 500_000
_ACCOUNTS = 1_000
_WAIT_S = 3600
# Numbers of deliveries that no settled one has.
_BEYOND = 10**12
# How many of the filled deliveries belong to one event.
_FAN_OUT = 5
_SQLITE_FILLING = (  # a fill that is interrupted is thrown away
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -500000",
)
_POSTGRES_FILLING = (
    "SET session_replication_role = replica",  # foreign keys hold by construction
    "SET synchronous_commit = off",
)
# What an engine does by itself in the time that filling a store really takes.
_SETTLE_DOWN = {True: "PRAGMA journal_mode = WAL", False: "VACUUM (ANALYZE)"}
_NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers"
    " WHERE n < {last})"
)


class Filler:
    """A connection to a database of Relais that no process of it has open."""

    def __init__(self, database: str, folder: Path) -> None:
        """Connect: to a PostgreSQL URL, or to SQLite's file in a data folder."""
        self.is_sqlite = not database
        self._connection: Any
        if self.is_sqlite:
            self._connection = sqlite3.connect(folder / "relais.db", isolation_level=None)
        else:
            self._connection = psycopg.connect(database, autocommit=True)
        for statement in _SQLITE_FILLING if self.is_sqlite else _POSTGRES_FILLING:
            self._connection.execute(statement)

    def close(self) -> None:
        """Disconnect; what was filled in is on the disk then, and the engine knows its size."""
        self._connection.execute(_SETTLE_DOWN[self.is_sqlite])
        self._connection.close()

    def settled(self, count: int, *, patience_s: float) -> int:
        """Add so many settled deliveries, five to an event, each with its attempt.

        They are copies of the last delivery, and belong to its account and subscription.
        Returns how many there was time for.
        """
        templates = {name: self._last(name) for name in self._own_of_settled(count)}
        end = time.monotonic() + patience_s
        for first in range(0, count, _CHUNK):
            if time.monotonic() > end:
                return first
            last = min(first + _CHUNK, count)
            for table, own in self._own_of_settled(count).items():
                share = 1 if table in {"deliveries", "attempts"} else _FAN_OUT
                numbers = range(first // share, last // share)
                self._copy(table, templates[table], numbers, own)
        return count

    def _own_of_settled(self, count: int) -> dict[str, dict[str, str]]:
        """Return what a copy has of its own, by table, in the order of their foreign keys."""
        events = count // _FAN_OUT
        event_id, payload_id = (self._id(one, f"(n / {_FAN_OUT})") for one in ("evt", "pay"))
        return {
            "events": {"id": self._id("evt")}
            | self._before({"received_at": events, "occurred_at": events}),
            "payloads": {"id": self._id("pay"), "event_id": self._id("evt")},
            "deliveries": {"id": self._id("dlv"), "event_id": event_id, "payload_id": payload_id}
            | self._before({"created_at": count, "settled_at": count}),
            "attempts": {"id": self._id("att"), "delivery_id": self._id("dlv")}
            | self._before({"started_at": count}),
        }

    def subscriptions(self, count: int) -> None:
        """Add so many subscriptions like the last one, in a thousand accounts like its own."""
        account, subscription = self._last("accounts"), self._last("subscriptions")
        own = {"id": self._id("acc"), "reference": self._id("ref")}
        self._copy("accounts", account, range(_ACCOUNTS), own)
        account_id = self._id("acc", f"(n % {_ACCOUNTS})")
        own = {"id": self._id("sub"), "account_id": account_id, "fingerprint": self._id("fng")}
        self._copy("subscriptions", subscription, range(count), own)
        owner = f"subscription_id = '{subscription}'"
        own = {"subscription_id": self._id("sub"), "account_id": account_id}
        self._copy("subscription_triggers", owner, range(count), own)
        for table in ("subscription_activity", "lanes", "subscription_health"):
            if self._columns(table):
                self._copy(table, owner, range(count), {"subscription_id": self._id("sub")})

    def in_back_off(self, count: int) -> None:
        """Copy every delivery that waits for its next attempt, until there are so many more.

        The copies wait for an hour longer than that. They share the payload of what they
        copy.
        """
        waiting = self._ids("deliveries", "state = 'pending' AND attempt_count > 0")
        assert waiting, "nothing is in back-off"
        each = count // len(waiting)
        for number, one in enumerate(waiting):
            own = {"id": self._id("dlv", f"(n + {_BEYOND + number * each})")}
            own |= {name: self._later(name) for name in ("next_attempt_at", "due_at", "lane_at")}
            columns = self._columns("deliveries")
            own = {name: value for name, value in own.items() if name in columns}
            self._copy("deliveries", one, range(each), own)

    def _copy(self, table: str, template: str, numbers: range, own: Mapping[str, str]) -> None:
        """Copy a row, by id or by condition, with expressions of n for columns of its own."""
        condition = template if " = " in template else f"id = '{template}'"
        columns = self._columns(table)
        values = ", ".join(own.get(name, f'"{name}"') for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        counted = _NUMBERS.format(first=numbers.start, last=numbers.stop - 1)
        self._connection.execute(
            f"INSERT INTO {table} ({names}) {counted} SELECT {values} FROM numbers,"  # noqa: S608
            f" (SELECT * FROM {table} WHERE {condition}) AS template"
        )

    def _columns(self, table: str) -> Sequence[str]:
        if self.is_sqlite:
            return [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
        asked = f"SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('{table}')"  # noqa: S608
        return [row[0] for row in self._connection.execute(f"{asked} AND attnum > 0")]

    def _last(self, table: str) -> str:
        return self._ids(table, "true ORDER BY id DESC LIMIT 1")[0]

    def _ids(self, table: str, condition: str) -> list[str]:
        asked = f"SELECT id FROM {table} WHERE {condition}"  # noqa: S608 - our own words
        return [row[0] for row in self._connection.execute(asked)]

    def _id(self, prefix: str, number: str = "n") -> str:
        if self.is_sqlite:
            return f"printf('{prefix}_%026d', {number})"
        return f"'{prefix}_' || lpad({number}::text, 26, '0')"

    def _before(self, counts: Mapping[str, int]) -> dict[str, str]:
        """Return times that lead up to the template's, a microsecond apart."""
        if self.is_sqlite:
            return {name: f'"{name}" - {count} + n' for name, count in counts.items()}
        step = "* interval '1 microsecond'"
        return {name: f'"{name}" - ({count} - n) {step}' for name, count in counts.items()}

    def _later(self, name: str) -> str:
        if self.is_sqlite:
            return f'"{name}" + {_WAIT_S} * 1000000'
        return f"\"{name}\" + {_WAIT_S} * interval '1 second'"
