"""Presence: workers say that they are at work, so that others can tell when nobody is."""

import logging
from datetime import datetime, timedelta

from app.core.errors import UnavailableError
from app.core.presence import BEAT, SILENCE, WorkerSighting
from app.services.context import Context

log = logging.getLogger(__name__)

# A dead worker is kept this long for people who look for it.
_REMEMBERED = timedelta(hours=1)


class Pulse:
    """One worker's sign of life, given by the thread that delivers: a hung one gives none."""

    def __init__(self, context: Context, worker: str) -> None:
        self._context = context
        self._worker = worker
        self._started_at = context.clock.now()
        self._beat_at: datetime | None = None

    def beat(self, in_flight: int) -> None:
        """Say that the worker is at work, where it has not said so lately.

        ``in_flight``: how many deliveries it holds. To be called at every turn; most
        calls cost less than a microsecond. A store that does not answer is not waited
        for again before the next beat.
        """
        now = self._context.clock.now()
        if self._beat_at is not None and abs(now - self._beat_at) < BEAT:
            return
        self._beat_at = now
        seen = WorkerSighting(
            name=self._worker, started_at=self._started_at, seen_at=now, in_flight=in_flight
        )
        try:
            with self._context.store.write() as tx:
                tx.see_worker(seen)
        except UnavailableError as problem:
            log.warning("worker.not_seen", extra={"reason": problem.message})

    def stop(self) -> None:
        """Say that the worker has stopped."""
        try:
            with self._context.store.write() as tx:
                tx.forget_worker(self._worker)
        except UnavailableError as problem:
            log.warning("worker.not_forgotten", extra={"reason": problem.message})


def forget_the_dead(context: Context) -> int:
    """Forget workers that have been silent for long; return how many."""
    unseen_since = context.clock.now() - SILENCE - _REMEMBERED
    with context.store.write() as tx:
        return tx.forget_workers(unseen_since=unseen_since)
