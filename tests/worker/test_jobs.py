"""Periodic jobs run on the leader, and no job is the end of the others."""

import logging
from datetime import timedelta

import pytest

from app.core.errors import UnavailableError
from app.services.leading import LEASE, RENEW_EVERY, Leader
from app.system.tally import Tally
from app.worker.jobs import Job, JobRunner, standard_jobs
from app.worker.schedule import Schedule
from tests.contexts import a_context

MONTH = timedelta(days=30)


@pytest.fixture
def context():
    made = a_context(meter=Tally())
    yield made
    made.store.close()


class Machine:
    """A process with a schedule of one job, turned by hand instead of by time."""

    def __init__(self, context, name):
        self.runs = 0
        self.leader = Leader(context, name)
        self._runner = JobRunner(context, self.leader)

    def tick(self):
        """Do what the schedule does every third of a lease."""
        self.leader.renew()
        self.run()

    def run(self):
        self._runner.run(Job(name="count", every=RENEW_EVERY, run=self._count))

    def _count(self, _context):
        self.runs += 1
        return 1


def run(context, do, name="job"):
    leader = Leader(context, "only")
    leader.renew()
    JobRunner(context, leader).run(Job(name=name, every=RENEW_EVERY, run=do))


def job_runs(context):
    return {
        series[1:]: numbers[0]
        for series, numbers in context.meter.read().items()
        if series[0] == "relais_job_runs_total"
    }


def test_of_two_machines_one_runs_the_jobs(context):
    one, two = Machine(context, "one"), Machine(context, "two")

    for _ in range(5):
        one.tick()
        two.tick()
        context.clock.advance(RENEW_EVERY)

    assert (one.runs, two.runs) == (5, 0)


def test_when_the_leader_dies_the_other_runs_them_within_the_lease(context):
    one, two = Machine(context, "one"), Machine(context, "two")
    one.tick()

    for _ in range(LEASE // RENEW_EVERY):
        context.clock.advance(RENEW_EVERY)
        two.tick()

    assert (one.runs, two.runs) == (1, 1)


def test_a_leader_that_wakes_up_late_does_nothing(context):
    one, two = Machine(context, "one"), Machine(context, "two")
    one.tick()
    context.clock.advance(2 * LEASE)
    two.tick()

    one.run()  # its timer rings before it has asked whether it still leads
    one.tick()

    assert (one.runs, two.runs) == (1, 1)


def test_a_job_is_timed_counted_and_logged(context, caplog):
    caplog.set_level(logging.INFO)

    run(context, lambda _context: 12, name="prune")

    [line] = [one for one in caplog.records if one.message == "job.ran"]
    assert (line.job, line.done) == ("prune", 12)
    assert line.duration_ms >= 0
    assert job_runs(context) == {("prune", "succeeded"): 1}


def test_a_job_that_fails_is_logged_and_counted_and_nothing_more(context, caplog):
    def fail(_context):
        raise ZeroDivisionError

    run(context, fail, name="bad")

    [line] = [one for one in caplog.records if one.message == "job.failed"]
    assert line.job == "bad"
    assert line.levelno == logging.ERROR
    assert job_runs(context) == {("bad", "failed"): 1}


def test_a_job_without_a_store_is_put_off(context, caplog):
    def down(_context):
        raise UnavailableError("The database does not answer.")

    run(context, down)

    [line] = [one for one in caplog.records if one.message == "job.put_off"]
    assert line.levelno == logging.WARNING


def test_the_standard_jobs_have_names_of_their_own_and_run_on_an_empty_store(context):
    jobs = standard_jobs(retention=MONTH)

    assert len({job.name for job in jobs}) == len(jobs)
    assert [job.run(context) for job in jobs] == [0] * len(jobs)


def test_a_schedule_takes_the_lead_and_gives_it_back():
    context = a_context()
    context.clock.advance(timedelta(days=10_000))  # later than today: nothing is due yet
    schedule = Schedule(context, retention=MONTH, holder="one")

    schedule.start()
    schedule.stop()

    assert Leader(context, "other").renew()
    context.store.close()
