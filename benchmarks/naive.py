"""What people write first, and second: the references. Run as a process of its own.

`job`: a job per delivery in a pool of threads; each calls `requests.post`, and commits
the end of its delivery. `pooled`: events are committed 100 at a time, each thread keeps a
session with its connections, and a thread beside them commits ends in batches.

Both store the event and its delivery durably before it is sent, sign it, keep its
attempt, and hand deliveries to their threads in memory, which spares them the claims
that a restart needs. Neither retries, is fair, or vets an address. Both are given their
events in process, without an API in front. So they do less than Relais, not more.

Prints one JSON object: the seconds from the first publish to the last commit.
"""

import argparse
import hashlib
import hmac
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg
import requests

THREADS = {"job": 32, "pooled": 64}
_SECRET = b"0123456789abcdef0123456789abcdef"
_TIMEOUT_S = 15
_BATCH = 100
_MOST_ENDS = 500
_TABLES = (
    "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS deliveries
    (id TEXT PRIMARY KEY, event_id TEXT NOT NULL, state TEXT NOT NULL, status INTEGER)""",
    """CREATE TABLE IF NOT EXISTS attempts (delivery_id TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL, status INTEGER, answer TEXT)""",
)
_ADD_EVENT = "INSERT INTO events VALUES (?, ?)"
_ADD_DELIVERY = "INSERT INTO deliveries VALUES (?, ?, 'pending', NULL)"
_STATES = {True: "done", False: "failed"}
_END = "UPDATE deliveries SET state = ?, status = ? WHERE id = ?"
_ADD_ATTEMPT = "INSERT INTO attempts VALUES (?, ?, ?, ?)"

Event = tuple[str, str]  # its id, which is its delivery's too, and its body
End = tuple[str, int, str]  # the delivery, the status, what was answered


class Store:
    """A connection per thread; on SQLite one writer at a time, without busy-waiting."""

    def __init__(self, url: str) -> None:
        """Make the tables, empty."""
        self._url = url
        self._local = threading.local()
        self._turn = threading.Lock()
        self._is_sqlite = not url.startswith("postgresql")
        with self.transaction() as execute:
            for statement in _TABLES:
                execute(statement, None)
        with self.transaction() as execute:
            for table in ("attempts", "deliveries", "events"):
                execute(f"DELETE FROM {table}", None)  # noqa: S608 - our own names

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str, Sequence[Any] | None], None]]:
        """Yield what executes a statement for one or many rows; commit behind it."""
        if not self._is_sqlite:
            with self._connection().transaction(), self._connection().cursor() as cursor:
                yield lambda statement, rows: _execute(cursor, statement.replace("?", "%s"), rows)
            return
        with self._turn:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            yield lambda statement, rows: _execute(connection, statement, rows)
            connection.execute("COMMIT")

    def _connection(self) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
        return self._local.connection

    def _connect(self) -> Any:
        if not self._is_sqlite:
            return psycopg.connect(self._url, autocommit=True)
        connection = sqlite3.connect(self._url, timeout=60, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def add(self, events: Sequence[Event]) -> None:
        """Store events and their deliveries."""
        with self.transaction() as execute:
            execute(_ADD_EVENT, events)
            execute(_ADD_DELIVERY, [(event_id, event_id) for event_id, _ in events])

    def end(self, ends: Sequence[End]) -> None:
        """Store what came of some deliveries."""
        now = time.time()
        with self.transaction() as execute:
            execute(
                _END,
                [(_STATES[status == HTTPStatus.OK], status, one) for one, status, _ in ends],
            )
            execute(_ADD_ATTEMPT, [(one, now, status, answer) for one, status, answer in ends])


def _execute(cursor: Any, statement: str, rows: Sequence[Any] | None) -> None:
    if rows is None:
        cursor.execute(statement)
    elif len(rows) == 1:
        cursor.execute(statement, rows[0])
    else:
        cursor.executemany(statement, rows)


def send(post: Callable[..., requests.Response], target: str, event: Event) -> End:
    """Sign and send one event."""
    event_id, body = event
    signature = hmac.new(_SECRET, body.encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    answer = post(target, data=body.encode(), headers=headers, timeout=_TIMEOUT_S)
    return event_id, answer.status_code, answer.text


def job_per_delivery(store: Store, target: str, events: Sequence[Event]) -> None:
    """Deliver: a job per delivery, a commit per event and per delivery."""

    def work(event: Event) -> None:
        store.end([send(requests.post, target, event)])

    with ThreadPoolExecutor(THREADS["job"]) as pool:
        jobs = []
        for event in events:
            store.add([event])
            jobs.append(pool.submit(work, event))
        for job in jobs:
            job.result()


def pooled(store: Store, target: str, events: Sequence[Event]) -> None:
    """Deliver: sessions that keep their connections, and commits in batches."""
    sessions, ends = threading.local(), queue.SimpleQueue[End]()

    def work(event: Event) -> None:
        if not hasattr(sessions, "one"):
            sessions.one = requests.Session()
        ends.put(send(sessions.one.post, target, event))

    settler = threading.Thread(target=_settle, args=(store, ends, len(events)))
    settler.start()
    with ThreadPoolExecutor(THREADS["pooled"]) as pool:
        for start in range(0, len(events), _BATCH):
            batch = events[start : start + _BATCH]
            store.add(batch)
            for event in batch:
                pool.submit(work, event)
    settler.join()


def _settle(store: Store, ends: "queue.SimpleQueue[End]", count: int) -> None:
    while count:
        batch = [ends.get()]
        while len(batch) < _MOST_ENDS and not ends.empty():
            batch.append(ends.get())
        store.end(batch)
        count -= len(batch)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mode", choices=sorted(THREADS), required=True)
    parser.add_argument("--database", required=True, help="a postgresql:// URL, or a file")
    parser.add_argument("--target", required=True)
    parser.add_argument("--body", type=Path, required=True, help="a file; it holds EVENT_ID")
    parser.add_argument("--events", type=int, required=True)
    options = parser.parse_args()
    body = options.body.read_text()
    ids = [f"evt_{number:026d}" for number in range(options.events)]
    events = [(one, body.replace("EVENT_ID", one)) for one in ids]
    store = Store(options.database)
    deliver = job_per_delivery if options.mode == "job" else pooled
    start, cpu = time.monotonic(), time.process_time()
    deliver(store, options.target, events)
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, "cpu_seconds": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
