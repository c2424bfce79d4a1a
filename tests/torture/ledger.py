"""What the producer and the receiver wrote down, each in a file of its own."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Sent:
    """One event of the producer. ``n`` is its record's id; ``event`` is None without an ack."""

    n: int
    event: str | None


@dataclass(frozen=True)
class Arrival:
    """One request that reached the receiver."""

    at: float
    path: str
    delivery: str
    timestamp: str
    signature: str
    body: bytes

    @property
    def lane(self) -> str:
        """Return the first part of the path, which names the subscription in a trial."""
        return urlsplit(self.path).path.strip("/")

    @cached_property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return self.content["id"]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Ledger:
    """The producer's file: what it was about to send, and what was accepted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def about_to_send(self, *numbers: int) -> None:
        self._write([{"n": n, "sent": time.monotonic()} for n in numbers])

    def accepted(self, events: dict[int, str]) -> None:
        now = time.monotonic()
        self._write([{"n": n, "event": event, "acked": now} for n, event in events.items()])

    def read(self) -> list[Sent]:
        """Return every event once; one that was answered twice with two ids counts twice."""
        events: dict[int, set[str]] = {}
        for line in _lines(self._path):
            known = events.setdefault(line["n"], set())
            if "event" in line:
                known.add(line["event"])
        return [Sent(n, event) for n, ids in events.items() for event in sorted(ids) or [None]]

    def close(self) -> None:
        self._file.close()

    def _write(self, lines: list[dict[str, Any]]) -> None:
        data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
        with self._lock:
            self._file.write(data)  # nobody cuts the power of the driver: no fsync


def arrivals(path: Path) -> list[Arrival]:
    """Read the receiver's file."""
    return [Arrival(**{**line, "body": line["body"].encode("latin-1")}) for line in _lines(path)]


class Watch:
    """Counts the deliveries that have arrived, reading each line of the file once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._seen: set[str] = set()

    def count(self) -> int:
        if not self._path.exists():
            return 0
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, found, _unfinished = file.read().rpartition(b"\n")
        self._read += len(whole) + len(found)
        self._seen |= {json.loads(line)["delivery"] for line in whole.splitlines()}
        return len(self._seen)


def arrival_count(path: Path) -> int:
    """Count the requests that reached the receiver so far."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    whole, _, _unfinished = path.read_bytes().rpartition(b"\n")
    for line in whole.split(b"\n") if whole else []:
        yield json.loads(line)
