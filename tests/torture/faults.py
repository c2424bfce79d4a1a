"""What a process under test does to itself. The code of Relais knows nothing of this.

A child of `tests.torture.zygote` calls `install` before it runs the command. Every fault
sits at a port that the composition root wires: the store, the sender, the clock, the
look-up of names.
"""

import contextlib
import functools
import os
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app import factory
from app.services import deliver
from app.services.context import Rules

# Where a process can be told to kill itself, and what the transaction around it does.
CRASH_POINTS = (
    "before_commit",
    "after_commit",
    "after_claim",
    "after_send",
    "before_result",
    "after_result",
)
_INGEST, _CLAIM, _SETTLE = ("add_events",), ("claim",), ("settle",)

load_registry_once = functools.cache(factory.load_registry)


def install(order: dict[str, Any]) -> None:
    """Set up the faults of an order; see each function for its key."""
    factory.load_registry = load_registry_once  # only the speed of the start
    if "lease_s" in order:
        _shorten_lease(order["lease_s"])
    if "clock" in order:
        factory.SystemClock = lambda: ShiftedClock(Path(order["clock"]))
    if "crash" in order:
        _crash_on_schedule(**order["crash"])
    if "poison" in order:
        factory.CurlSender = _poisonable(factory.CurlSender, order["poison"].encode())
    if "names" in order:
        factory.CurlSender = _with_names(factory.CurlSender, **order["names"])


def _shorten_lease(seconds: float) -> None:
    """Nobody waits 45 seconds, twice, for each of the kills."""
    lease = timedelta(seconds=seconds)
    if hasattr(deliver, "LEASE"):
        deliver.LEASE = lease
        return
    assert isinstance(Rules.lease, property), "the lease is somewhere else now"
    Rules.lease = property(lambda _rules: lease)


class ShiftedClock:
    """The system's clock, wrong by as many seconds as a file says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._path.read_text()))  # noqa: TID251


# -- Crash points ------------------------------------------------------------------------


def _crash_on_schedule(point: str, after: int) -> None:
    """Kill this process, as a power cut does, the ``after``-th time that it is at a point."""
    assert point in CRASH_POINTS
    bomb = Bomb(after)
    if point == "after_send":
        factory.CurlSender = _sender_that_ends(factory.CurlSender, bomb)
    else:
        opens = factory.open_store
        factory.open_store = lambda *args, **named: WatchedStore(opens(*args, **named), point, bomb)


class Bomb:
    """Counts down, then kills the process."""

    def __init__(self, after: int) -> None:
        self._left = after

    def tick(self) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedStore:
    """A store whose writing transactions are watched; everything else is the real one."""

    def __init__(self, store: Any, point: str, bomb: Bomb) -> None:
        self._store = store
        self._point = point
        self._bomb = bomb

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextlib.contextmanager
    def write(self, *args: Any, **named: Any) -> Iterator["WatchedTx"]:
        with self._store.write(*args, **named) as tx:
            watched = WatchedTx(tx)
            yield watched
            self._reach("before_commit", watched.did(_INGEST))
            self._reach("before_result", watched.did(_SETTLE))
        self._reach("after_commit", watched.did(_INGEST))
        self._reach("after_claim", watched.did(_CLAIM))
        self._reach("after_result", watched.did(_SETTLE))

    def _reach(self, point: str, is_meant: bool) -> None:
        if is_meant and point == self._point:
            self._bomb.tick()


class WatchedTx:
    """A transaction that remembers which of its methods did something."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx
        self._called: set[str] = set()

    def did(self, beginnings: tuple[str, ...]) -> bool:
        return any(name.startswith(beginnings) for name in self._called)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        return self._watched(name, found) if callable(found) else found

    def _watched(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            result = method(*args, **named)
            if result or not name.startswith(_CLAIM):  # a claim of nothing is no claim
                self._called.add(name)
            return result

        return call


def _sender_that_ends(sender: type, bomb: Bomb) -> type:
    class Ending(sender):
        """Dies when answers are in, before anybody was told of them."""

        def poll(self, timeout_s: float) -> Any:
            ended = super().poll(timeout_s)
            if ended:
                bomb.tick()
            return ended

    return Ending


# -- Poison and names --------------------------------------------------------------------


def _poisonable(sender: type, marker: bytes) -> type:
    class Poisonable(sender):
        """Segfaults on a marked body, as a fault in a C library would."""

        def submit(self, request: Any) -> None:
            if marker in request.body:
                os.kill(os.getpid(), signal.SIGSEGV)
            super().submit(request)

    return Poisonable


def _with_names(sender: type, down: str, hosts: dict[str, str]) -> Callable[..., Any]:
    """Answer for these hosts; while the file ``down`` is there, the name servers are gone."""

    def getaddrinfo(host: str, port: None, **_how: Any) -> Any:
        if Path(down).exists():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (hosts[host], 0))]

    return functools.partial(sender, getaddrinfo=getaddrinfo)
