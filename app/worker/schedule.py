"""Periodic work: the only home of APScheduler.

Every worker has a schedule; its jobs run on the one that leads (`app.services.leading`).
"""

from datetime import timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from app.services.context import Context
from app.services.leading import RENEW_EVERY, Leader
from app.worker.jobs import Job, JobRunner, standard_jobs

# A job's first run after a start: soon, so that a process that is often started again
# does them all the same.
_FIRST_RUN_AFTER = timedelta(seconds=30)
_LEAD = "lead"


class Schedule:
    """Runs the periodic jobs in threads of its own, where this process leads."""

    def __init__(self, context: Context, *, retention: timedelta, holder: str = "") -> None:
        """Make a schedule; ``holder`` names this process among those that may lead."""
        self._context = context
        self._leader = Leader(context, holder or context.dice.new_id("run"))
        self._runner = JobRunner(context, self._leader)
        # A long job must not keep the lead from being renewed: each has a thread.
        executors = {"default": ThreadPoolExecutor(1), _LEAD: ThreadPoolExecutor(1)}
        self._scheduler = BackgroundScheduler(timezone="UTC", executors=executors)
        self._scheduler.add_job(
            self._leader.renew,
            "interval",
            seconds=RENEW_EVERY.total_seconds(),
            next_run_time=context.clock.now(),
            id=_LEAD,
            executor=_LEAD,
            coalesce=True,
            max_instances=1,
        )
        for job in standard_jobs(retention=retention):
            self._add(job)

    def start(self) -> None:
        """Start the jobs."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let a running job finish, stop, and let another process lead."""
        self._scheduler.shutdown(wait=True)
        self._leader.resign()

    def _add(self, job: Job) -> None:
        self._scheduler.add_job(
            self._runner.run,
            "interval",
            seconds=job.every.total_seconds(),
            next_run_time=self._context.clock.now() + min(job.every, _FIRST_RUN_AFTER),
            args=[job],
            id=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # late is better than never
        )
