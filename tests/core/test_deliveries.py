"""The state machine of a delivery, and the schedule of its attempts."""

from datetime import timedelta

import pytest

from app.core.deliveries import (
    OWN_FAULTS,
    DeliveryState,
    Meaning,
    OutcomeKind,
    Verdict,
    settle,
)
from app.core.retries import STANDARD
from app.core.subscriptions import StateReason
from tests.builders import NOW, a_delivery, a_refusal, an_outcome


def settled(outcome, *, attempts_before=0, jitter=0.0, meaning=Meaning.REFUSAL, age=timedelta()):
    return settle(
        a_delivery(attempt_count=attempts_before, created_at=NOW - age),
        outcome,
        policy=STANDARD,
        now=NOW,
        jitter=jitter,
        meaning=meaning,
    )


def test_a_success_settles_the_delivery():
    assert settled(an_outcome()) == Verdict(state=DeliveryState.SUCCEEDED, attempt_count=1)


SCHEDULE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]


@pytest.mark.parametrize(("before", "delay"), list(enumerate(SCHEDULE)))
def test_a_refusal_is_tried_again_after_the_schedules_delay(before, delay):
    verdict = settled(a_refusal(500), attempts_before=before)

    assert verdict == Verdict(
        state=DeliveryState.PENDING, attempt_count=before + 1, next_attempt_at=NOW + delay
    )


def test_the_tenth_refusal_fails_the_delivery():
    verdict = settled(a_refusal(500), attempts_before=len(SCHEDULE))

    assert verdict == Verdict(state=DeliveryState.FAILED, attempt_count=10)


@pytest.mark.parametrize(
    ("before", "spread"),
    [
        (0, timedelta(seconds=2)),
        (1, timedelta(seconds=30)),
        (2, timedelta(minutes=3)),
        (8, timedelta(minutes=15)),
    ],
)
def test_jitter_is_only_added_within_its_bounds(before, spread):
    earliest = settled(a_refusal(), attempts_before=before, jitter=0.0).next_attempt_at
    half = settled(a_refusal(), attempts_before=before, jitter=0.5).next_attempt_at

    assert earliest == NOW + SCHEDULE[before]
    assert half == earliest + spread / 2


@pytest.mark.parametrize(
    ("asked_s", "expected"),
    [
        (120, timedelta(seconds=120)),
        (1, timedelta(seconds=5)),
        (10**9, timedelta(hours=24)),
    ],
)
def test_retry_after_postpones_but_never_hastens(asked_s, expected):
    verdict = settled(a_refusal(429, retry_after_seconds=asked_s))

    assert verdict.next_attempt_at == NOW + expected


def test_a_gone_target_cancels_the_delivery_and_ends_the_subscription():
    verdict = settled(a_refusal(410), meaning=Meaning.GONE)

    assert verdict == Verdict(
        state=DeliveryState.CANCELLED,
        attempt_count=1,
        ends_subscription=StateReason.TARGET_GONE,
    )


def test_while_the_target_is_off_a_delivery_is_kept_for_as_long_as_that_takes():
    old = timedelta(days=30)

    verdict = settled(a_refusal(410), meaning=Meaning.OFF, attempts_before=3, age=old)

    assert verdict == Verdict(state=DeliveryState.PENDING, attempt_count=3, next_attempt_at=NOW)


@pytest.mark.parametrize(
    ("asked_s", "pause"), [(None, STANDARD.own_fault_delay), (120, timedelta(seconds=120))]
)
def test_too_much_at_once_uses_up_no_attempt(asked_s, pause):
    throttled = a_refusal(429, retry_after_seconds=asked_s)

    verdict = settled(throttled, meaning=Meaning.LATER, attempts_before=3)

    assert verdict == Verdict(
        state=DeliveryState.PENDING, attempt_count=3, next_attempt_at=NOW + pause
    )


def test_a_target_that_is_too_busy_for_days_uses_up_attempts_like_others():
    verdict = settled(a_refusal(429), meaning=Meaning.LATER, age=timedelta(days=5))

    assert verdict.attempt_count == 1


@pytest.mark.parametrize("kind", sorted(OWN_FAULTS))
def test_a_fault_of_ours_uses_up_no_attempt(kind):
    verdict = settled(an_outcome(kind=kind, status_code=None), attempts_before=9)

    assert verdict.state is DeliveryState.PENDING
    assert verdict.attempt_count == 9


@pytest.mark.parametrize("kind", sorted(OWN_FAULTS))
def test_a_fault_of_ours_that_lasts_for_days_uses_up_attempts_like_others(kind):
    outcome = an_outcome(kind=kind, status_code=None)

    assert settled(outcome, age=timedelta(days=5)).attempt_count == 1
    assert settled(outcome, attempts_before=9, age=timedelta(days=5)).state is DeliveryState.FAILED


@pytest.mark.parametrize("kind", sorted(set(OutcomeKind) - OWN_FAULTS - {OutcomeKind.SUCCEEDED}))
def test_every_other_outcome_is_tried_again(kind):
    verdict = settled(an_outcome(kind=kind, status_code=None))

    assert (verdict.state, verdict.attempt_count) == (DeliveryState.PENDING, 1)
