"""Periodic work: the only home of APScheduler."""

from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from app.services.context import Context
from app.services.prune import prune

_PRUNE_EVERY = timedelta(hours=1)


class Schedule:
    """Runs the periodic jobs in a thread of its own."""

    def __init__(self, context: Context, *, retention: timedelta) -> None:
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            prune,
            "interval",
            seconds=_PRUNE_EVERY.total_seconds(),
            args=[context],
            kwargs={"retention": retention},
            id="prune",
            coalesce=True,
            max_instances=1,
        )

    def start(self) -> None:
        """Start the jobs."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let a running job finish, and stop."""
        self._scheduler.shutdown(wait=True)
