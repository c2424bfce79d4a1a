"""Weighing: warned, suspended, reinstated, ended; and what never counts."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.deliveries import OWN_FAULTS, OutcomeKind
from app.core.health import HEALTHY, Health, Lane
from app.core.profiles import Profile
from app.core.subscriptions import StateReason, SubscriptionState
from app.core.weighing import Consequence, EndedExchange, NoticeKind, grace_is_over, weigh
from app.platforms import PLATFORMS, find_platform
from tests.builders import NOW, a_refusal, an_outcome

ACTIVE = SubscriptionState.ACTIVE
PAUSED = SubscriptionState.PAUSED
SUSPENDED = SubscriptionState.SUSPENDED
ENDED = SubscriptionState.ENDED
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GENERIC = Profile()
MAKE = find_platform("make").profile
N8N = find_platform("n8n").profile
POWER_AUTOMATE = find_platform("power_automate").profile
ZAPIER = find_platform("zapier").profile
OFF_OF_POWER_AUTOMATE = a_refusal(
    400, response_body=b'{"error":{"code":"WorkflowTriggerIsNotEnabled"}}'
)


def exchange(outcome, at=NOW, *, profile=GENERIC):
    return EndedExchange(
        outcome=outcome,
        at=at,
        signal=profile.read(outcome),
        is_own_fault=outcome.kind in OWN_FAULTS,
    )


def answered(*statuses, at=NOW, every=SECOND, profile=GENERIC, **changes):
    return [
        exchange(
            an_outcome() if status < 300 else a_refusal(status, **changes),
            at + number * every,
            profile=profile,
        )
        for number, status in enumerate(statuses)
    ]


class Life:
    """A subscription whose consequences are carried out, as the service does."""

    def __init__(self, profile=GENERIC):
        self.profile = profile
        self.health, self.state, self.lane = HEALTHY, ACTIVE, Lane()
        self.told = []

    def weigh(self, *ended):
        got = weigh(self.health, ended, state=self.state, profile=self.profile)
        self.health = got.health
        self.lane = got.lane or self.lane
        self.told += got.notices
        if got.suspend:
            self.state = SUSPENDED
        if got.reinstate:
            self.state = ACTIVE
        if got.end:
            self.state = ENDED
        return got

    def answers(self, status, at, **changes):
        return self.weigh(*answered(status, at=at, profile=self.profile, **changes))


def test_successes_change_nothing():
    assert weigh(HEALTHY, answered(*[200] * 30), state=ACTIVE, profile=GENERIC) == Consequence(
        health=HEALTHY
    )


def test_an_empty_batch_changes_nothing():
    health = Health(failing_since=NOW, failure_count=3)

    for state in SubscriptionState:
        assert weigh(health, [], state=state, profile=GENERIC) == Consequence(health=health)


@pytest.mark.parametrize("kind", sorted(OWN_FAULTS))
def test_a_fault_of_ours_changes_nothing(kind):
    fault = exchange(an_outcome(kind=kind, status_code=None))

    assert weigh(HEALTHY, [fault] * 50, state=ACTIVE, profile=GENERIC) == Consequence(
        health=HEALTHY
    )


def test_many_failures_open_the_breaker_and_the_lane_waits():
    got = weigh(HEALTHY, answered(*[500] * 12), state=ACTIVE, profile=GENERIC)

    assert got.lane == Lane(not_before=NOW + 39 * SECOND, trickle=True)
    assert (got.suspend, got.end, got.notices) == (None, None, ())


def test_a_probe_that_succeeds_opens_the_lane_again():
    life = Life()
    life.weigh(*answered(*[500] * 10))

    got = life.answers(200, life.health.quiet_until)

    assert got == Consequence(health=HEALTHY, lane=Lane())


# Throttles.


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_pauses_the_whole_subscription_and_is_no_failure(status):
    ended = answered(*[status] * 50, every=SECOND * 0, retry_after_seconds=60)

    got = weigh(HEALTHY, ended, state=ACTIVE, profile=GENERIC)

    assert got.lane == Lane(not_before=NOW + MINUTE)
    assert (got.health.failure_count, got.health.trips) == (0, 0)


def test_a_429_without_a_time_pauses_for_a_moment():
    got = weigh(HEALTHY, answered(*[429] * 50, every=SECOND * 0), state=ACTIVE, profile=ZAPIER)

    assert got.lane == Lane(not_before=NOW + 10 * SECOND)
    assert got.health.failure_count == 0


def test_a_full_queue_of_make_is_a_throttle_and_other_400s_are_failures():
    full = a_refusal(400, response_body=b"Queue is full.")
    wrong = a_refusal(400, response_body=b"Invalid JSON")

    def failures(outcome):
        ended = [exchange(outcome, profile=MAKE)]
        return weigh(HEALTHY, ended, state=ACTIVE, profile=MAKE).health.failure_count

    assert (failures(full), failures(wrong)) == (0, 1)


def test_who_says_later_for_a_whole_day_is_failing():
    life = Life()
    for hour in range(24):
        life.answers(429, NOW + hour * HOUR, retry_after_seconds=3600)
    before = life.health.failure_count

    life.answers(429, NOW + DAY, retry_after_seconds=3600)

    assert (before, life.health.failure_count) == (0, 1)
    assert life.health.failing_since == NOW
    assert life.told == [NoticeKind.SUBSCRIPTION_WARNING]
    assert life.lane.not_before == NOW + DAY + HOUR


def test_who_says_later_for_ever_is_suspended_in_the_end():
    life = Life()
    for hour in range(5 * 24 + 1):
        life.answers(429, NOW + hour * HOUR)

    assert life.state is SUSPENDED


# Lasting failure.


def test_failing_for_a_day_and_for_three_is_warned_of_once_each():
    life = Life()
    told_at = [hour for hour in range(100) if life.answers(500, NOW + hour * HOUR).notices]

    assert told_at == [24, 72]
    assert set(life.told) == {NoticeKind.SUBSCRIPTION_WARNING}


def test_one_late_look_warns_once():
    life = Life()
    life.answers(500, NOW)

    life.answers(500, NOW + 4 * DAY)
    life.answers(500, NOW + 4 * DAY + HOUR)

    assert life.told == [NoticeKind.SUBSCRIPTION_WARNING]


def test_a_success_makes_the_next_failure_the_first():
    life = Life()
    for hour in range(0, 200, 2):
        life.answers(500, NOW + hour * HOUR)
        life.answers(200, NOW + (hour + 1) * HOUR)

    assert (life.told, life.state) == ([], ACTIVE)


def test_five_days_and_twenty_failures_suspend():
    life = Life()
    for hour in range(5 * 24):
        life.answers(500, NOW + hour * HOUR)
    assert life.state is ACTIVE

    got = life.answers(500, NOW + 5 * DAY)

    assert got.suspend is StateReason.KEEPS_FAILING
    assert got.notices == (NoticeKind.SUBSCRIPTION_SUSPENDED,)


def test_one_rare_event_does_not_suspend():
    life = Life()
    for day in range(19):
        life.answers(500, NOW + day * DAY)
    assert life.state is ACTIVE

    assert life.answers(500, NOW + 19 * DAY).suspend is StateReason.KEEPS_FAILING


def test_one_bad_night_does_not_suspend():
    got = weigh(HEALTHY, answered(*[500] * 5_000, every=5 * SECOND), state=ACTIVE, profile=GENERIC)

    assert got.suspend is None
    assert got.health.failure_count == 5_000


@pytest.mark.parametrize("state", [PAUSED, SUSPENDED, ENDED])
def test_only_an_active_subscription_is_warned_of_or_suspended(state):
    health = Health(failing_since=NOW - 30 * DAY, failure_count=1_000)

    got = weigh(health, answered(500, 500), state=state, profile=GENERIC)

    assert (got.suspend, got.notices) == (None, ())


def test_a_success_that_was_under_way_reinstates_what_was_suspended_for_failing():
    got = weigh(HEALTHY, answered(200), state=SUSPENDED, profile=GENERIC)

    assert got.reinstate


# Gone.


@pytest.mark.parametrize("state", [ACTIVE, PAUSED, SUSPENDED])
def test_a_gone_target_ends_the_subscription_at_once(state):
    got = weigh(HEALTHY, answered(410, 200, 500), state=state, profile=ZAPIER)

    assert got.end is StateReason.TARGET_GONE
    assert (got.suspend, got.reinstate, got.lane) == (None, False, None)
    assert got.notices == (NoticeKind.SUBSCRIPTION_GONE,)


def test_what_has_ended_stays_as_it_is():
    got = weigh(HEALTHY, answered(410, 200, 500), state=ENDED, profile=ZAPIER)

    assert got == Consequence(health=HEALTHY)


# Off.


def test_make_says_410_when_it_is_off_and_is_held_at_once():
    got = weigh(HEALTHY, answered(410, profile=MAKE), state=ACTIVE, profile=MAKE)

    assert got.suspend is StateReason.TARGET_OFF
    assert got.lane == Lane(not_before=NOW + HOUR, trickle=True)
    assert got.notices == (NoticeKind.SUBSCRIPTION_SUSPENDED,)
    assert got.end is None


def test_power_automate_says_it_in_words():
    ended = [exchange(OFF_OF_POWER_AUTOMATE, profile=POWER_AUTOMATE)]

    got = weigh(HEALTHY, ended, state=ACTIVE, profile=POWER_AUTOMATE)

    assert got.suspend is StateReason.TARGET_OFF
    assert weigh(HEALTHY, answered(400), state=ACTIVE, profile=POWER_AUTOMATE).suspend is None


def test_what_was_under_way_when_it_was_switched_off_does_not_reinstate():
    life = Life(MAKE)

    got = life.weigh(*answered(410, 200, 410, 200, 500, profile=MAKE))

    assert life.state is SUSPENDED
    assert got.lane == Lane(not_before=NOW + HOUR, trickle=True)
    assert life.told == [NoticeKind.SUBSCRIPTION_SUSPENDED]


@pytest.mark.parametrize("statuses", [(410,), (500,), (200,), (410, 200, 429, 410)])
def test_attempts_that_were_claimed_before_the_suspension_change_nothing(statuses):
    life = Life(MAKE)
    life.answers(410, NOW)
    still_active = answered(*statuses, at=NOW + SECOND, profile=MAKE)

    got = weigh(life.health, still_active, state=ACTIVE, profile=MAKE)

    assert (got.suspend, got.reinstate, got.notices) == (None, False, ())
    assert got.health.is_held
    assert got.lane in (None, life.lane)


def test_switched_off_while_its_breaker_was_open_it_is_held_and_comes_back():
    life = Life(MAKE)
    life.weigh(*answered(*[500] * 10))
    life.answers(410, NOW + MINUTE)
    assert life.health.is_held
    assert life.lane == Lane(not_before=NOW + MINUTE + HOUR, trickle=True)

    life.answers(200, NOW + MINUTE + HOUR)

    assert (life.state, life.health, life.lane) == (ACTIVE, HEALTHY, Lane())


def test_the_first_good_probe_reinstates_and_clears():
    life = Life(MAKE)
    life.answers(410, NOW)
    life.answers(410, NOW + HOUR)

    got = life.answers(200, NOW + 2 * HOUR)

    assert got.reinstate
    assert got == Consequence(
        health=HEALTHY,
        lane=Lane(),
        reinstate=True,
        notices=(NoticeKind.SUBSCRIPTION_REINSTATED,),
    )


@pytest.mark.parametrize("status", [410, 500, 429])
def test_a_probe_that_fails_is_repeated_at_the_platforms_interval(status):
    life = Life(MAKE)
    life.answers(410, NOW)

    got = life.answers(status, NOW + HOUR)

    assert got.lane == Lane(not_before=NOW + 2 * HOUR, trickle=True)
    assert (life.state, life.health.trips, life.health.off_since) == (SUSPENDED, 0, NOW)


def test_a_probe_that_fails_by_our_fault_may_be_repeated_at_once():
    life = Life(MAKE)
    life.answers(410, NOW)

    got = life.weigh(exchange(an_outcome(kind=OutcomeKind.DNS_FAILED), NOW + HOUR))

    assert got == Consequence(health=life.health)


def test_when_the_grace_is_over_the_next_sign_ends_it():
    life = Life(MAKE)
    life.answers(410, NOW)

    life.answers(410, NOW + MAKE.grace - SECOND)
    assert life.state is SUSPENDED
    got = life.answers(410, NOW + MAKE.grace + HOUR)

    assert got.end is StateReason.TARGET_GONE
    assert got.notices == (NoticeKind.SUBSCRIPTION_GONE,)


def test_another_failure_does_not_end_it_even_after_the_grace():
    life = Life(MAKE)
    life.answers(410, NOW)

    life.answers(500, NOW + 2 * MAKE.grace)

    assert life.state is SUSPENDED


def test_who_has_nothing_to_be_probed_with_can_be_asked_about():
    life = Life(MAKE)
    life.answers(410, NOW)

    assert not grace_is_over(life.health, MAKE, NOW + MAKE.grace - SECOND)
    assert grace_is_over(life.health, MAKE, NOW + MAKE.grace)
    assert not grace_is_over(life.health, N8N, NOW + 1000 * DAY)
    assert not grace_is_over(HEALTHY, MAKE, NOW)


def test_n8n_is_off_only_once_its_404_has_lasted():
    life = Life(N8N)
    for hour in range(24):
        life.answers(404, NOW + hour * HOUR)
    assert (life.state, life.told) == (ACTIVE, [])

    got = life.answers(404, NOW + DAY)

    assert got.suspend is StateReason.TARGET_OFF
    assert life.told == [NoticeKind.SUBSCRIPTION_SUSPENDED]


def test_an_n8n_that_recovers_meanwhile_begins_anew():
    life = Life(N8N)
    life.answers(404, NOW)
    life.answers(200, NOW + HOUR)
    life.answers(404, NOW + 23 * HOUR)

    life.answers(404, NOW + 25 * HOUR)

    assert life.state is ACTIVE


def test_n8n_is_never_ended_and_comes_back_a_year_later():
    life = Life(N8N)
    for day in range(365):
        life.answers(404, NOW + day * DAY)

    got = life.answers(200, NOW + 365 * DAY)

    assert got.reinstate
    assert life.told == [NoticeKind.SUBSCRIPTION_SUSPENDED, NoticeKind.SUBSCRIPTION_REINSTATED]


def test_what_was_suspended_for_failing_is_not_taken_for_off():
    life = Life(N8N)
    life.answers(404, NOW)
    for hour in range(1, 5 * 24 + 1):
        life.answers(500, NOW + hour * HOUR)

    assert life.state is SUSPENDED
    assert life.health.off_since is None


def test_a_paused_subscription_is_not_suspended_for_being_off():
    got = weigh(HEALTHY, answered(410, profile=MAKE), state=PAUSED, profile=MAKE)

    assert (got.suspend, got.notices) == (None, ())


# Whatever comes.

OUTCOMES = st.sampled_from(
    [
        an_outcome(),
        a_refusal(500),
        a_refusal(404),
        a_refusal(410),
        a_refusal(429),
        a_refusal(503, retry_after_seconds=3600),
        OFF_OF_POWER_AUTOMATE,
        an_outcome(kind=OutcomeKind.READ_TIMEOUT, status_code=None),
        an_outcome(kind=OutcomeKind.DNS_FAILED, status_code=None),
        an_outcome(kind=OutcomeKind.INTERNAL, status_code=None),
    ]
)
WAITS = st.sampled_from([SECOND * 0, SECOND, 40 * SECOND, 20 * MINUTE, 3 * HOUR, 2 * DAY])
STORIES = st.lists(st.tuples(WAITS, OUTCOMES), max_size=40)
PROFILES = st.sampled_from([platform.profile for platform in PLATFORMS])
whatever_comes = settings(derandomize=True, max_examples=60, deadline=None)


def told(story, profile):
    at = NOW
    for wait, outcome in story:
        at += wait
        yield exchange(outcome, at, profile=profile)


@whatever_comes
@given(STORIES, PROFILES, st.integers(0, 40))
def test_to_weigh_a_batch_is_to_weigh_its_parts(story, profile, cut):
    ended = list(told(story, profile))
    whole, parts = Life(profile), Life(profile)

    whole.weigh(*ended)
    parts.weigh(*ended[:cut])
    parts.weigh(*ended[cut:])

    assert (whole.health, whole.state, whole.told) == (parts.health, parts.state, parts.told)
    assert whole.state is ENDED or whole.lane == parts.lane


@whatever_comes
@given(STORIES, PROFILES)
def test_faults_of_ours_make_no_difference(story, profile):
    ended = list(told(story, profile))
    with_faults, without = Life(profile), Life(profile)

    with_faults.weigh(*ended)
    without.weigh(*[one for one in ended if not one.is_own_fault])

    assert (with_faults.health, with_faults.told) == (without.health, without.told)


@whatever_comes
@given(STORIES, PROFILES)
def test_nothing_goes_before_a_running_retry_after_is_over(story, profile):
    life, until = Life(profile), NOW
    for one in told(story, profile):
        if life.state is not ENDED and one.outcome.retry_after_seconds:
            until = max(until, one.at + timedelta(seconds=one.outcome.retry_after_seconds))
        life.weigh(one)
        if one.at < until and life.state is not ENDED:
            assert life.lane.not_before is not None
            assert life.lane.not_before >= until


@whatever_comes
@given(STORIES, PROFILES)
def test_suspension_needs_time_and_count_or_the_sign_of_being_off(story, profile):
    life, failing = Life(profile), []
    for one in told(story, profile):
        got = life.weigh(one)
        if one.outcome.is_success:
            failing = []
        elif not one.is_own_fault:
            failing.append(one.at)
        if got.suspend is StateReason.KEEPS_FAILING:
            assert len(failing) >= 20
            assert one.at - failing[0] >= 5 * DAY
        elif got.suspend:
            assert one.signal == "off"
            assert life.health.off_since is not None


@whatever_comes
@given(STORIES, PROFILES)
def test_whoever_is_reinstated_starts_clean(story, profile):
    life = Life(profile)
    for one in told(story, profile):
        got = life.weigh(one)
        if got.reinstate:
            assert got.health == Health(throttled_until=got.health.throttled_until)
            assert life.lane == Lane(not_before=got.health.throttled_until)


@whatever_comes
@given(STORIES, PROFILES)
def test_the_lane_is_always_that_of_the_health(story, profile):
    life = Life(profile)
    for one in told(story, profile):
        life.weigh(one)
        assert life.state is ENDED or life.lane == life.health.lane
