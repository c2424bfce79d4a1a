"""The look-up of names, on threads of its own and apart from libcurl.

libcurl's own look-ups would queue behind hanging ones, hide why they failed, hold up the
closing of the sender, and leave to chance which address of a name is called.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from app.transport.answers import AddressInfo, Answer, KeptAnswers, failed, vetted
from app.transport.vetting import Vetter

MAX_THREADS = 64  # started when needed; a look-up that hangs holds one

_LOCALHOST = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))


class GetAddressInfo(Protocol):
    """The part of `socket.getaddrinfo` that is used; it may raise `OSError`, and hang."""

    def __call__(self, host: str, port: None, *, type: int) -> Sequence[AddressInfo]:  # noqa: A002  # its name
        """Return the addresses of ``host``, the one to be preferred first."""


class Resolver:
    """Looks names up and vets every address; made for one loop.

    `ask`, `drop` and `take` never wait. Look-ups that are asked for when every thread is
    taken wait in the order in which they came; look-ups of one host are shared.
    """

    def __init__(
        self,
        vetter: Vetter,
        notify: Callable[[], None],
        *,
        getaddrinfo: GetAddressInfo | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a resolver without threads.

        Args:
            vetter: The verdict on each address.
            notify: Called on some thread when there is something to `take`; never after
                `close`. Must not wait.
            getaddrinfo: Asks the name servers; the system's by default.
            monotonic: The clock by which answers age, in seconds.
        """
        self._vetter = vetter
        self._notify = notify
        self._getaddrinfo = getaddrinfo or socket.getaddrinfo
        # Its ::1 would refuse the local trials for which an operator opens 127.0.0.1.
        self._localhost = vetted([_LOCALHOST], vetter)
        self._changed = threading.Condition()
        self._kept = KeptAnswers(monotonic)
        self._queue: dict[str, None] = {}  # a set in the order of its making
        self._pending: set[str] = set()  # in the queue, or on a thread
        self._answered: list[tuple[str, Answer]] = []
        self._thread_count = 0
        self._idle_count = 0
        self._is_closed = False

    def ask(self, host: str) -> Answer | None:
        """Return the answer where it is known; else None, and `take` gives it later."""
        if host == "localhost":
            return self._localhost
        kept = self._kept.get(host)  # the usual case needs no lock
        if kept is not None:
            return kept
        with self._changed:
            kept = self._kept.get(host)
            if kept is None and host not in self._pending:
                self._pending.add(host)
                self._queue[host] = None
                self._call_a_thread()
            return kept

    def take(self) -> list[tuple[str, Answer]]:
        """Return the hosts that were answered since the last call."""
        if not self._answered:  # the usual case needs no lock
            return []
        with self._changed:
            answered, self._answered = self._answered, []
            return answered

    def drop(self, host: str) -> None:
        """Forget a look-up that nobody waits for; one that has begun goes on."""
        with self._changed:
            if host in self._queue:
                del self._queue[host]
                self._pending.remove(host)

    def close(self) -> None:
        """Let the threads end, without waiting for them."""
        with self._changed:
            self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()

    def _call_a_thread(self) -> None:
        if len(self._queue) <= self._idle_count or self._thread_count >= MAX_THREADS:
            self._changed.notify()
            return
        # Where no thread can be started, a later look-up tries again, and those who wait
        # for this one have their deadline.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._work, name="look-up", daemon=True).start()
            self._thread_count += 1

    def _work(self) -> None:
        while (host := self._next_host()) is not None:
            self._finish(host, self._look_up(host))

    def _next_host(self) -> str | None:
        """Wait for a host to look up; None when there will be no more."""
        with self._changed:
            self._idle_count += 1
            self._changed.wait_for(lambda: self._queue or self._is_closed)
            self._idle_count -= 1
            if self._is_closed:
                return None
            host = next(iter(self._queue))
            del self._queue[host]
            return host

    def _look_up(self, host: str) -> Answer:
        try:
            found = self._getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return vetted(found, self._vetter)
        except Exception as error:  # noqa: BLE001  # a thread that dies leaves its host pending
            return failed(error)

    def _finish(self, host: str, answer: Answer) -> None:
        with self._changed:
            self._pending.remove(host)
            if self._is_closed:
                return
            self._kept.keep(host, answer)
            self._answered.append((host, answer))
            self._notify()
