"""Readiness tells the truth, soon."""

import threading
from datetime import timedelta

import pytest

from app.core.errors import FieldProblem, UnavailableError
from app.core.presence import LATE_AFTER, SILENCE
from app.services.presence import Pulse
from app.services.probes import PromptAnswer
from app.services.readiness import check_readiness, require_ready
from tests.builders import a_delivery, furnish

PATIENCE_S = 10


def codes(problems):
    return [(one.field, one.code) for one in problems]


def test_a_store_and_a_worker_are_all_it_takes(context):
    Pulse(context, "w1").beat(0)

    found = check_readiness(context)

    assert (found.problems, found.warnings) == ((), ())


def test_without_a_worker_nothing_is_delivered(context):
    assert codes(check_readiness(context).problems) == [("workers", "none_alive")]


def test_a_worker_that_is_silent_does_not_count(context):
    Pulse(context, "w1").beat(0)
    context.clock.advance(SILENCE)

    assert codes(check_readiness(context).problems) == [("workers", "none_alive")]


def test_one_living_worker_suffices(context):
    Pulse(context, "dead").beat(0)
    context.clock.advance(SILENCE)
    Pulse(context, "alive").beat(0)

    assert check_readiness(context).problems == ()


def test_a_store_that_cannot_be_written_is_not_ready(context, monkeypatch):
    Pulse(context, "w1").beat(0)

    def full():
        raise UnavailableError("The database's disk is full.")

    monkeypatch.setattr(context.store.database, "writing", full)

    found = check_readiness(context)

    assert codes(found.problems) == [("store", "unwritable")]
    assert "disk is full" in found.problems[0].message


def test_a_store_that_breaks_between_two_looks_is_not_ready(context, monkeypatch):
    def down():
        raise UnavailableError("The database does not answer.")

    monkeypatch.setattr(context.store, "problems", lambda **_moment: ())
    monkeypatch.setattr(context.store, "read", down)

    assert codes(check_readiness(context).problems) == [("store", "unreadable")]


def test_late_deliveries_are_worth_a_look_but_it_is_ready(context):
    now = context.clock.now()
    furnish(context.store, a_delivery(next_attempt_at=now))
    Pulse(context, "w1").beat(0)
    assert check_readiness(context).warnings == ()

    context.clock.advance(LATE_AFTER + timedelta(minutes=2))
    Pulse(context, "w1").beat(0)
    found = check_readiness(context)

    assert found.problems == ()
    assert codes(found.warnings) == [("queue", "late")]
    assert "7 minutes" in found.warnings[0].message


def test_what_is_not_ready_is_refused_with_the_reasons(context):
    with pytest.raises(UnavailableError) as caught:
        require_ready(context)

    assert codes(caught.value.problems) == [("workers", "none_alive")]
    assert "No worker" in caught.value.message


def test_a_store_that_does_not_answer_is_not_waited_for(context, monkeypatch):
    released = threading.Event()

    def hang(**_moment):
        released.wait(PATIENCE_S)
        return (FieldProblem(field="store", code="x", message="x"),)

    monkeypatch.setattr(context.store, "problems", hang)
    monkeypatch.setattr(context.probes.readiness, "_patience_s", 0.01)

    with pytest.raises(UnavailableError) as caught:
        require_ready(context)

    released.set()
    assert codes(caught.value.problems) == [("store", "no_answer")]


class Watch:
    """A stopwatch that is advanced by hand."""

    now = 0.0

    def __call__(self):
        return self.now


def test_an_answer_is_shared_until_it_is_old():
    watch, asked = Watch(), []
    answer = PromptAnswer(fresh_s=1, monotonic=watch)

    def ask():
        asked.append(1)
        return len(asked)

    watch.now = 0.5
    assert [answer.get(ask), answer.get(ask)] == [1, 1]
    watch.now = 1.5
    assert answer.get(ask) == 2


def test_a_question_under_way_is_not_asked_twice():
    released, asked = threading.Event(), []
    answer = PromptAnswer(patience_s=0.01)

    def hang():
        asked.append(1)
        released.wait(PATIENCE_S)

    assert [answer.get(hang), answer.get(hang)] == [None, None]
    released.set()
    assert len(asked) == 1


def test_a_question_that_fails_has_no_answer_and_goes_to_the_log(caplog):
    def fail():
        raise ZeroDivisionError

    assert PromptAnswer().get(fail) is None
    assert [one.message for one in caplog.records] == ["probe.failed"]
