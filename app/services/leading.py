"""Leading: of all processes on all machines, one does the scheduled work.

The leader holds a row in the store for `LEASE` and renews it three times as often. One that
dies, or loses the store, is followed by another when its lease has run out; one that was
asleep meanwhile finds its time over before it does anything. Clocks of machines may differ by
less than two thirds of the lease; should they differ by more, two lead for a while, and every
job bears that.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import Final

from app.core.errors import UnavailableError
from app.services.context import Context

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=30)
RENEW_EVERY: Final = LEASE / 3
_NAME: Final = "schedule"


class Leader:
    """One candidate for the lead. Threads may share it."""

    def __init__(self, context: Context, holder: str) -> None:
        """Make a candidate; ``holder`` is unique among them."""
        self._context = context
        self._holder = holder
        self._until: datetime | None = None
        self._lock = threading.Lock()

    def is_leading(self) -> bool:
        """Return whether it leads at this moment; asks nobody."""
        until = self._until
        return until is not None and self._context.clock.now() < until

    def renew(self) -> bool:
        """Take or renew the lead where possible; return whether it leads.

        Where the store cannot be reached, the lease that it has goes on until its end.
        """
        with self._lock:
            led = self._until is not None
            now = self._context.clock.now()
            try:
                self._until = self._taken(now, now + LEASE)
            except UnavailableError as problem:
                log.warning("leader.not_renewed", extra={"reason": problem.message})
                return self.is_leading()
            if led != (self._until is not None):
                event = "leader.lost" if led else "leader.took_over"
                log.info(event, extra={"holder": self._holder})
        return self.is_leading()

    def resign(self) -> None:
        """Give the lead up at once, so that nobody waits for the lease to end."""
        with self._lock:
            led, self._until = self._until is not None, None
            if not led:
                return
            try:
                with self._context.store.write() as tx:
                    tx.resign_lead(_NAME, holder=self._holder)
            except UnavailableError as problem:
                log.warning("leader.not_resigned", extra={"reason": problem.message})

    def _taken(self, now: datetime, until: datetime) -> datetime | None:
        with self._context.store.write() as tx:
            taken = tx.take_lead(_NAME, holder=self._holder, now=now, until=until)
        return until if taken else None
