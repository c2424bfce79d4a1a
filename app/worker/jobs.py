"""The periodic jobs, and how one is run. A new job is one line in `standard_jobs`."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.core.errors import UnavailableError
from app.services.context import Context
from app.services.grace import end_after_grace
from app.services.handshake import expire_unconfirmed
from app.services.leading import Leader
from app.services.notices import warn_of_backlog
from app.services.partitions import keep_partitions
from app.services.presence import forget_the_dead
from app.services.prune import prune
from app.services.replay_pump import pump_replays

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that one process does from time to time.

    It bears being run twice, being run late and being stopped in the middle. It returns
    how much it did, for the log.
    """

    name: str
    every: timedelta
    run: Callable[[Context], int]


def standard_jobs(*, retention: timedelta) -> tuple[Job, ...]:
    """Return the jobs of every deployment; ``retention`` is how long events are kept."""

    def prune_old(context: Context) -> int:
        return prune(context, retention=retention)

    def keep_the_partitions(context: Context) -> int:
        changes = keep_partitions(context, retention=retention)
        return len(changes.made) + len(changes.dropped)

    return (
        Job(name="partitions", every=timedelta(hours=1), run=keep_the_partitions),
        Job(name="prune", every=timedelta(hours=1), run=prune_old),
        Job(name="forget_workers", every=timedelta(hours=1), run=forget_the_dead),
        Job(name="grace", every=timedelta(minutes=5), run=_end_after_grace),
        Job(name="unconfirmed", every=timedelta(minutes=1), run=expire_unconfirmed),
        Job(name="replays", every=timedelta(seconds=1), run=pump_replays),
        Job(name="backlog", every=timedelta(minutes=1), run=warn_of_backlog),
    )


def _end_after_grace(context: Context) -> int:
    return len(end_after_grace(context))


class JobRunner:
    """Runs jobs on the leader: timed, counted, and never the end of the schedule."""

    def __init__(self, context: Context, leader: Leader) -> None:
        self._context = context
        self._leader = leader

    def run(self, job: Job) -> None:
        """Run the job once, if this process leads; what it raises goes to the log."""
        if not self._leader.is_leading():
            return
        started = time.perf_counter()
        done = self._attempt(job)
        seconds = time.perf_counter() - started
        self._context.meter.job_ran(job.name, seconds, failed=done is None)
        if done is not None:
            level = logging.INFO if done else logging.DEBUG
            told = {"job": job.name, "done": done, "duration_ms": round(seconds * 1000)}
            log.log(level, "job.ran", extra=told)

    def _attempt(self, job: Job) -> int | None:
        """Return how much the job did, or None where it failed."""
        try:
            return job.run(self._context)
        except UnavailableError as problem:
            log.warning("job.put_off", extra={"job": job.name, "reason": problem.message})
        except Exception:  # the schedule's edge: one bad job must not end the others
            log.exception("job.failed", extra={"job": job.name})
        return None
