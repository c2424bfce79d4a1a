"""The canonical line of an attempt: one line, every id, the decision, no secret."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.deliveries import Outcome, OutcomeKind
from app.services import deliver
from app.services.deliver import EndedAttempt
from app.worker.lines import log_attempt
from tests.builders import a_delivery, a_refusal, furnish, retried, succeeded
from tests.contexts import a_context


@pytest.fixture
def ended():
    """Return an attempt that took 12 ms and began 3 s after the delivery was due."""
    context = a_context()
    now = context.clock.now()
    furnish(context.store, a_delivery(next_attempt_at=now))
    context.clock.advance(timedelta(seconds=3))
    [claimed] = deliver.claim(context, worker="w1", limit=1)
    prepared = deliver.prepare(context, claimed, user_agent="x")
    ended_at = context.clock.advance(timedelta(milliseconds=12))
    context.store.close()
    outcome = Outcome(kind=OutcomeKind.SUCCEEDED, duration_ms=12, status_code=200)
    return EndedAttempt(prepared=prepared, outcome=outcome, ended_at=ended_at)


def line_of(caplog, ended, verdict, **lost):
    caplog.set_level(logging.INFO)
    log_attempt("w1", ended, verdict, **{"lost": ()} | lost)
    [record] = caplog.records
    return record


def test_the_line_names_what_was_sent_where_and_what_came_of_it(caplog, ended):
    line = line_of(caplog, ended, succeeded())

    assert line.message == "delivery.attempted"
    assert (line.account, line.event_id, line.subscription) == ("acc_1", "evt_1", "sub_1")
    assert (line.delivery, line.attempt) == ("dlv_1", ended.prepared.attempt_id)
    assert (line.event_type, line.trigger) == ("appointment.create", "changed_appointment")
    assert (line.platform, line.host) == ("generic", "hooks.example.com")
    assert (line.outcome, line.status_code, line.state) == ("succeeded", 200, "succeeded")
    assert (line.number, line.duration_ms, line.waited_ms) == (1, 12, 3000)
    assert line.next_attempt_at is None


def test_the_line_holds_no_url_and_no_secret(caplog, ended):
    line = line_of(caplog, ended, succeeded())

    text = " ".join(str(value) for value in vars(line).values())
    assert "https://hooks.example.com" not in text
    assert ended.prepared.claimed.subscription.secret not in text


def test_a_refusal_says_when_it_is_tried_again(caplog, ended):
    line = line_of(caplog, replace(ended, outcome=a_refusal(503)), retried())

    assert (line.state, line.status_code) == ("pending", 503)
    assert line.next_attempt_at.endswith("Z")


def test_our_own_fault_is_an_error(caplog, ended):
    fault = Outcome(kind=OutcomeKind.INTERNAL, duration_ms=1, detail="boom")

    line = line_of(caplog, replace(ended, outcome=fault), retried())

    assert (line.levelno, line.detail) == (logging.ERROR, "boom")


def test_an_attempt_whose_lease_was_lost_decides_nothing(caplog, ended):
    line = line_of(caplog, ended, succeeded(), lost=["dlv_1"])

    assert line.message == "delivery.lease_lost"
    assert line.levelno == logging.WARNING
    assert line.state is None
