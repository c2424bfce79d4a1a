"""Bookkeeping off the path of requests. See `app.core.ports.Errands`."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable

from app.core.errors import UnavailableError

log = logging.getLogger(__name__)

_MOST_WAITING = 1_000


class ThreadErrands:
    """Runs errands one after the other, in a thread of its own that the first one starts."""

    def __init__(self, *, patience_s: float = 5.0) -> None:
        """Make it; at its end it waits ``patience_s`` seconds for what is not done yet."""
        self._patience_s = patience_s
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, errand: Callable[[], None]) -> None:
        """See `Errands`."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="errands", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(errand)
        except queue.Full:
            log.warning("errands.full")

    def close(self) -> None:
        """Finish what waits, for some seconds at most, and end."""
        if self._thread is None:
            return
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(self._patience_s)
        if self._thread.is_alive():
            log.warning("errands.left_undone", extra={"count": self._waiting.qsize()})

    def _work(self) -> None:
        while (errand := self._waiting.get()) is not None:
            try:
                errand()
            except UnavailableError as problem:
                log.warning("errands.dropped", extra={"reason": problem.message})
            except Exception:
                log.exception("errands.failed")
