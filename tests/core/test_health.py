"""Health: the breaker, the pauses that targets ask for, and what a success forgets."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.health import (
    HEALTHY,
    Health,
    Lane,
    after_failure,
    after_success,
    after_throttle,
    while_off,
)
from tests.builders import NOW

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FREE = Lane()


def after(health, answers, *, start=NOW, every=SECOND):
    """Return the health after answers as "x.x": x a failure, . a success."""
    for number, answer in enumerate(answers):
        step = after_failure if answer == "x" else after_success
        health = step(health, start + number * every)
    return health


def an_open_breaker():
    """Make a health whose breaker opened at NOW + 9 s."""
    return after(HEALTHY, "x" * 10)


def test_where_all_goes_well_nothing_is_remembered():
    assert after(HEALTHY, "." * 50) == HEALTHY
    assert HEALTHY.lane == FREE


@pytest.mark.parametrize(
    ("answers", "is_open"),
    [
        ("xxxxxxxxx", False),
        ("xxxxxxxxxx", True),
        ("x...xxxxxx", True),
        ("x....xxxxx", False),
        ("x....xxxxxxx", False),
        ("x...xxxxx.", False),
        ("xxxxxxx...", False),
        ("xxxxxxx...x", True),
    ],
)
def test_the_breaker_opens_at_ten_attempts_of_which_seven_in_ten_failed(answers, is_open):
    assert (after(HEALTHY, answers).trips == 1) is is_open


def test_failures_far_apart_do_not_open_the_breaker():
    health = after(HEALTHY, "x" * 40, every=MINUTE)

    assert health.trips == 0
    assert health.lane == FREE


def test_the_breakers_window_ends_after_five_minutes():
    health = after(HEALTHY, "xxxxxxxxx")

    health = after_failure(health, NOW + 5 * MINUTE)

    assert (health.trips, health.window_attempts, health.window_failures) == (0, 1, 1)


def test_an_open_breaker_stops_the_lane_for_half_a_minute_and_then_tries_one():
    health = an_open_breaker()

    assert health.lane == Lane(not_before=NOW + 9 * SECOND + 30 * SECOND, trickle=True)


def test_the_pause_doubles_with_every_failed_probe_up_to_a_quarter_of_an_hour():
    health, pauses = an_open_breaker(), []
    for _ in range(8):
        probed_at = health.quiet_until
        health = after_failure(health, probed_at)
        pauses.append((health.quiet_until - probed_at).total_seconds())

    assert pauses == [60, 120, 240, 480, 900, 900, 900, 900]


def test_a_breaker_that_trips_for_years_does_not_overflow():
    health = replace(an_open_breaker(), trips=10**6)

    assert after_failure(health, NOW + HOUR).quiet_until == NOW + HOUR + 15 * MINUTE


def test_one_success_of_a_probe_closes_the_breaker():
    health = an_open_breaker()

    assert after_success(health, health.quiet_until) == HEALTHY


def test_what_was_under_way_when_the_breaker_opened_neither_trips_nor_closes_it():
    health = an_open_breaker()

    failed = after_failure(health, NOW + 20 * SECOND)
    succeeded = after_success(health, NOW + 20 * SECOND)

    assert failed == replace(health, failure_count=11)
    assert succeeded.lane == health.lane
    assert (succeeded.trips, succeeded.failure_count, succeeded.failing_since) == (1, 0, None)


def test_a_success_forgets_how_long_it_failed():
    health = after(HEALTHY, "xxx", every=HOUR)
    assert (health.failing_since, health.failure_count) == (NOW, 3)

    assert after_success(health, NOW + 4 * HOUR) == HEALTHY


def test_a_success_among_failures_leaves_the_window_open():
    health = after(HEALTHY, "xx.")

    assert health == Health(window_started_at=NOW, window_attempts=3, window_failures=2)


def test_a_pause_that_was_asked_for_stops_the_lane_but_not_to_a_trickle():
    health = after_throttle(HEALTHY, NOW, MINUTE)

    assert health.lane == Lane(not_before=NOW + MINUTE)
    assert health.failure_count == 0


def test_a_pause_lasts_a_day_at_most():
    health = after_throttle(HEALTHY, NOW, timedelta(days=30))

    assert health.throttled_until == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "then",
    [
        lambda health: after_throttle(health, NOW + SECOND, SECOND),
        lambda health: after_success(health, NOW + SECOND),
        lambda health: after(health, "x" * 10),
        lambda health: while_off(health, NOW, MINUTE),
    ],
    ids=["a shorter one", "a success", "an open breaker", "off"],
)
def test_nothing_shortens_a_running_pause(then):
    health = after_throttle(HEALTHY, NOW, HOUR)

    assert then(health).lane.not_before == NOW + HOUR


def test_a_success_after_the_pause_forgets_it():
    health = after_throttle(HEALTHY, NOW, MINUTE)

    assert after_success(health, NOW + MINUTE) == HEALTHY


def test_a_success_during_the_pause_forgets_since_when_it_was_asked_for():
    health = after_success(after_throttle(HEALTHY, NOW, MINUTE), NOW + SECOND)

    assert health == Health(throttled_until=NOW + MINUTE)


def test_an_automation_that_is_off_is_probed_now_and_then():
    health = while_off(HEALTHY, NOW, HOUR)
    later = while_off(health, NOW + HOUR, HOUR)

    assert health.lane == Lane(not_before=NOW + HOUR, trickle=True)
    assert health.is_held
    assert not an_open_breaker().is_held
    assert (later.off_since, later.quiet_until) == (NOW, NOW + 2 * HOUR)


def test_an_automation_that_is_not_probed_has_no_time_for_it():
    assert while_off(HEALTHY, NOW, None) == Health(off_since=NOW)
