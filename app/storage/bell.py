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
from sqlalchemy.dialects import registry

from app.storage.postgres import with_defaults

_LOG = logging.getLogger(__name__)

_CHANNEL = "relais"
_LISTEN = f"LISTEN {_CHANNEL}"
_NOTIFY = f"NOTIFY {_CHANNEL}"

_Connection = psycopg.Connection[Any]


class PostgresDoorbell:
    """Rings every listener on the same database, on any machine.

    Its two connections are made when they are first needed, and again when they broke.
    """

    def __init__(self, url: URL, *, listens: bool) -> None:
        """Make a bell; only one that ``listens`` can `wait`."""
        self._line_out = _Line(url)
        self._line_in = _Line(url)
        self._listens = listens
        # Wakes the listener of this process, whether there is a server or not.
        self._inner_in, self._inner_out = os.pipe2(os.O_NONBLOCK)
        self._rung = threading.Event()
        self._closing = threading.Event()
        self._ringer = threading.Thread(target=self._keep_ringing, name="relais-ring", daemon=True)
        self._ringer.start()

    def ring(self) -> None:
        """See `Doorbell`."""
        self._rung.set()
        with contextlib.suppress(BlockingIOError):  # full: it is awake already
            os.write(self._inner_out, b"!")

    def wait(self, timeout_s: float) -> bool:
        """See `Doorbell`. A new connection counts as a ring: some may have been missed."""
        if self._listens and not self._line_in.is_open:
            with contextlib.suppress(psycopg.Error):
                self._line_in.execute(_LISTEN)
                return True
        return self._wait_for_any(timeout_s)

    def close(self) -> None:
        """Stop listening and ringing. Nobody may wait any more."""
        self._closing.set()
        self._rung.set()
        self._ringer.join()
        self._line_in.close()
        os.close(self._inner_in)
        os.close(self._inner_out)

    def _wait_for_any(self, timeout_s: float) -> bool:
        poll = select.poll()
        poll.register(self._inner_in, select.POLLIN)
        if self._line_in.is_open:
            poll.register(self._line_in.fileno, select.POLLIN)
        ready = {number for number, _ in poll.poll(timeout_s * 1000)}
        from_here = self._inner_in in ready and self._empty_inner()
        from_others = ready - {self._inner_in} and self._line_in.take_notes()
        return bool(from_here or from_others)

    def _empty_inner(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._inner_in, 4096):
                pass
        return True

    def _keep_ringing(self) -> None:
        while not self._closing.is_set():
            self._rung.wait()
            self._rung.clear()
            if self._closing.is_set():
                break
            try:
                self._line_out.execute(_NOTIFY)
            except psycopg.Error:
                _LOG.warning("bell.unheard")
        self._line_out.close()


class _Line:
    """A connection that opens itself, and is thrown away when it breaks."""

    def __init__(self, url: URL) -> None:
        self._url = with_defaults(url)
        self._connection: _Connection | None = None
