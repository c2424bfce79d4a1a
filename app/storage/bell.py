"""The bell between machines: PostgreSQL's NOTIFY. See `app.core.ports.Doorbell`.

It is rung beside the transactions, not in them: a NOTIFY inside makes commits queue up
for a lock of the whole server. A thread sends it, so that whoever rings never waits;
rings in quick succession become one. Nothing is lost when a bell is missed: workers also
look by themselves, only later.
"""

import contextlib
import logging
import os
import select
import threading
from typing import Any

import psycopg
from sqlalchemy import URL

from app.storage.postgres import with_defaults

_LOG = logging.getLogger(__name__)

_LISTEN = b"LISTEN relais"
_NOTIFY = b"NOTIFY relais"


class PostgresDoorbell:
    """Rings every listener on the same database, on any machine."""

    def __init__(self, url: URL, *, listens: bool) -> None:
        """Make a bell for a database; only one that ``listens`` can `wait` for others."""
        self._listens = listens
        self._hearing = _Line(url)
        self._ringing = _Line(url)
        # Wakes the listener of this very process, with no server in between.
        self._inner_out, self._inner_in = os.pipe()
        os.set_blocking(self._inner_out, False)
        os.set_blocking(self._inner_in, False)
        self._rung = threading.Event()
        self._closing = threading.Event()
        self._ringer = threading.Thread(target=self._keep_ringing, name="relais-ring", daemon=True)
        self._ringer.start()

    def ring(self) -> None:
        """See `Doorbell`."""
        self._rung.set()
        with contextlib.suppress(BlockingIOError):  # full: it is awake already
            os.write(self._inner_in, b"!")

    def wait(self, timeout_s: float) -> bool:
        """See `Doorbell`. A new connection counts as a ring: some may have been missed."""
        if self._listens and self._hearing.fileno is None and self._hearing.say(_LISTEN):
            return True
        poll = select.poll()
        poll.register(self._inner_out, select.POLLIN)
        if self._hearing.fileno is not None:
            poll.register(self._hearing.fileno, select.POLLIN)
        ready = {number for number, _ in poll.poll(timeout_s * 1000)}
        rung_here = self._inner_out in ready and self._empty_inner()
        # Our own ring comes back from the server, when it was heard already.
        rung_there = self._hearing.fileno in ready and self._hearing.hear(but=self._ringing)
        return rung_here or rung_there

    def close(self) -> None:
        """Stop; nobody may ring or wait any more."""
        self._closing.set()
        self._rung.set()
        self._ringer.join()
        self._hearing.close()
        os.close(self._inner_in)
        os.close(self._inner_out)

    def _empty_inner(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._inner_out, 4096):
                pass
        return True

    def _keep_ringing(self) -> None:
        while self._rung.wait() and not self._closing.is_set():
            self._rung.clear()
            # Once more on a new connection, where the server was restarted meanwhile.
            if not (self._ringing.say(_NOTIFY) or self._ringing.say(_NOTIFY)):
                _LOG.warning("bell.not_rung")
        self._ringing.close()


class _Line:
    """A connection outside of the pool: opened when it is needed, dropped when it breaks."""

    def __init__(self, url: URL) -> None:
        plain = with_defaults(url).set(drivername="postgresql")
        self._address = plain.render_as_string(hide_password=False)
        self._connection: psycopg.Connection[Any] | None = None
        self.fileno: int | None = None  # what to poll, while there is a connection
        self.pid: int | None = None  # as the server numbers its connections

    def say(self, statement: bytes) -> bool:
        """Execute the statement, on a new connection where there is none; say if it worked."""
        try:
            self._opened().execute(statement)
        except psycopg.Error:
            self.close()
            return False
        return True

    def hear(self, *, but: "_Line") -> bool:
        """Return whether notices of others came, or the connection broke: both need a look."""
        if self._connection is None:
            return False
        try:
            pids = [notice.pid for notice in self._connection.notifies(timeout=0)]
        except psycopg.Error:
            pids = []
        if not pids:  # woken for nothing: the server said goodbye
            self.close()
            return True
        return any(pid != but.pid for pid in pids)

    def close(self) -> None:
        """Close the connection, where there is one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self.fileno = self.pid = None

    def _opened(self) -> "psycopg.Connection[Any]":
        if self._connection is None:
            self._connection = psycopg.connect(self._address, autocommit=True)
            self.fileno = self._connection.fileno()
            self.pid = self._connection.info.backend_pid
        return self._connection
