"""One database: its engine, and how transactions on it begin and take turns."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from threading import Lock, get_ident
from time import monotonic, sleep
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError

from app.core.errors import UnavailableError
from app.storage.faults import raise_unavailable

_BUSY = "The database is busy. Nothing was accepted; try again later."
_NAP_S = 0.0003


class Durability(StrEnum):
    """What a commit survives, besides the death of the process."""

    FULL = "FULL"  # a power cut: what was answered 202 is on the disk
    NORMAL = "NORMAL"  # no power cut: the last commits may be gone, the rest is intact


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """How an operator wants the database to be used.

    ``patience`` bounds every wait for a lock or a free connection; then the caller gets
    UnavailableError.
    """

    durability: Durability = Durability.FULL
    patience: timedelta = timedelta(seconds=5)


class Turns:
    """Lets one thread in at a time.

    SQLite has one writer at a time and lets the others poll, with growing naps. Among
    the threads of a process a lock passes the turn on without naps.
    """

    def __init__(self, *, patience: timedelta) -> None:
        self._lock = Lock()
        self._patience_s = patience.total_seconds()
        self._holder: int | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a turn.

        Raises:
            UnavailableError: It did not come in time.
            RuntimeError: The thread holds it already and would wait for itself.
        """
        if self._holder == get_ident():
            raise RuntimeError("A transaction inside a transaction; pass the outer one on.")
        if not self._lock.acquire(timeout=self._patience_s):
            raise UnavailableError(_BUSY)
        self._holder = get_ident()
        try:
            yield
        finally:
            self._holder = None
            self._lock.release()


class FileTurns(Turns):
    """Lets one thread of all processes in that write one file.

    SQLite lets them poll for its lock with naps that grow to 100 ms: who waits longest
    waits worst. Here they ask again after a fraction of a millisecond, and who asks
    first is next: a process that is always busy must stand in the queue again, behind the
    one that waits already. A process that dies gives up both places, as the system unlocks
    its files.
    """

    def __init__(self, path: Path, *, patience: timedelta) -> None:
        super().__init__(patience=patience)
        self._next = _LockFile(path.with_name(f"{path.name}-next"))
        self._turn = _LockFile(path.with_name(f"{path.name}-turn"))

    @contextmanager
    def one(self) -> Iterator[None]:
        """See `Turns`."""
        with super().one():
            deadline = monotonic() + self._patience_s
            self._next.lock(deadline)
            try:
                self._turn.lock(deadline)
            finally:
                self._next.unlock()
            try:
                yield
            finally:
                self._turn.unlock()


class _LockFile:
    """A file that one process at a time has locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._process = 0

    def lock(self, deadline: float) -> None:
        """Lock it; raises UnavailableError where that takes until the deadline."""
        file = self._opened()
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() > deadline:
                    raise UnavailableError(_BUSY) from None
                sleep(_NAP_S)
            else:
                return

    def unlock(self) -> None:
        """Unlock it."""
        fcntl.flock(self._opened(), fcntl.LOCK_UN)

    def _opened(self) -> int:
        """Return the open file; a process that was forked must open it for itself."""
        if self._file is None or self._process != os.getpid():
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise_unavailable("The database file cannot be opened.", error)
            self._process = os.getpid()
        return self._file


class AnyTime:
    """Lets every thread in at once: for reading a file, and for engines with many writers."""

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a turn, without waiting."""
        yield


class Begin(Protocol):
    """How an engine begins a transaction on a connection that is in none."""

    def __call__(self, connection: Connection, *, may_write: bool) -> None:
        """Begin; a transaction that may not write refuses to, and sees one moment."""


class BeAlone(Protocol):
    """How a transaction that may write makes the others wait until it ends."""

    def __call__(self, connection: Connection) -> None:
        """Wait until nobody else is alone, and be."""


def is_alone(connection: Connection) -> None:
    """Do nothing: the engine has one writer anyway. See `BeAlone`."""
    del connection


class Database:
    """An engine, and how its transactions begin and take turns.

    Beginning is not left to an event of the engine: an engine that anybody listens to
    does every statement a third slower.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        begin: Begin,
        read_turns: Turns | AnyTime,
        write_turns: Turns | AnyTime,
        be_alone: BeAlone = is_alone,
    ) -> None:
        self.engine = engine
        self._begin = begin
        self._read_turns = read_turns
        self._write_turns = write_turns
        self._be_alone = be_alone

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction with a consistent view, in which writing fails."""
        with self._read_turns.one(), self._connected() as connection, connection.begin():
            self._begin(connection, may_write=False)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end and rolls back when it raises."""
        with self._write_turns.one(), self._connected() as connection, connection.begin():
            self._begin(connection, may_write=True)
            yield connection

    @contextmanager
    def upgrading(self) -> Iterator[Connection]:
        """Open a transaction as `writing` does, of which there is one at a time."""
        with self.writing() as connection:
            self._be_alone(connection)
            yield connection

    def _connected(self) -> Connection:
        try:
            return self.engine.connect()
        except NoFreeConnectionError as error:
            raise_unavailable("Every connection to the database is in use.", error)
