"""What attempts do to the metrics."""

from datetime import timedelta

import pytest

from app.core.health import Health, Lane
from app.core.weighing import Consequence
from app.services import deliver
from app.services.deliver import EndedAttempt
from app.services.settle import Settled
from app.system.tally import Tally
from app.worker.measuring import count_settled
from tests.builders import NOW, a_delivery, a_refusal, an_outcome, furnish
from tests.contexts import a_context
from tests.fakes import FakeClock


@pytest.fixture
def context():
    made = a_context(clock=FakeClock(NOW))
    yield made
    made.store.close()


def an_ended_one(context, outcome, **delivery):
    """Return an attempt that began 3 s after its event, and took as long as it says."""
    furnish(context.store, a_delivery(**delivery))
    context.clock.advance(timedelta(seconds=3))
    [claimed] = deliver.claim(context, worker="w1", limit=1)
    prepared = deliver.prepare(context, claimed, user_agent="x")
    ended_at = context.clock.advance(timedelta(milliseconds=outcome.duration_ms))
    return EndedAttempt(prepared=prepared, outcome=outcome, ended_at=ended_at)


def counted(ended, *, lost=(), consequences=None):
    tally = Tally()
    settled = Settled(settlements=(), lost=frozenset(lost), consequences=consequences or {})
    count_settled(tally, [ended], settled, seconds=0.01)
    return tally.read()


def test_an_attempt_counts_by_platform_and_outcome(context):
    read = counted(an_ended_one(context, a_refusal(503)))

    assert read[("relais_attempts_total", "generic", "http_5xx")] == (1,)
    assert read[("relais_settled_attempts_total",)] == (1,)
    assert read[("relais_attempt_seconds", "generic")][-1] == pytest.approx(0.012)


def test_a_first_attempt_says_how_long_its_event_had_to_wait(context):
    read = counted(an_ended_one(context, an_outcome()))

    assert read[("relais_first_attempt_seconds",)][-1] == pytest.approx(3.0)


@pytest.mark.parametrize(
    "change", [{"attempt_count": 1}, {"next_attempt_at": NOW + timedelta(seconds=1)}]
)
def test_a_retry_and_a_delivery_sent_again_are_no_first_attempts(context, change):
    read = counted(an_ended_one(context, an_outcome(), **change))

    assert ("relais_first_attempt_seconds",) not in read


def test_lost_leases_and_breakers_are_counted(context):
    ended = an_ended_one(context, a_refusal(500))
    opened = Consequence(health=Health(trips=1), lane=Lane(not_before=NOW, trickle=True))
    closed = Consequence(health=Health(), lane=Lane())

    read = counted(ended, lost=["dlv_1"], consequences={"sub_1": opened, "sub_2": closed})

    assert read[("relais_leases_lost_total",)] == (1,)
    assert read[("relais_breaker_openings_total",)] == (1,)
