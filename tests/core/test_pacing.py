"""Pacing: caps that follow how exchanges go, and rates that are kept."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.pacing import HOST_CAPS, SUBSCRIPTION_CAPS, AdaptiveCaps, CapRules, TokenBucket

QUICK_S = 0.05
SLOW_S = 1.5


def caps(**changes):
    return AdaptiveCaps(replace(SUBSCRIPTION_CAPS, **changes))


def go_well(some, key, *, count, now):
    for token in range(count):
        some.began(key, token, now)
        some.ended(key, token, now + QUICK_S, succeeded=True)


@pytest.mark.parametrize(("rules", "start"), [(SUBSCRIPTION_CAPS, 4), (HOST_CAPS, 16)])
def test_a_stranger_starts_small(rules, start):
    assert AdaptiveCaps(rules).limit("somebody", 0.0) == start


def test_a_round_of_quick_successes_doubles_the_cap():
    some = caps()

    go_well(some, "a", count=4, now=0.0)
    after_one_round = some.limit("a", 0.1)
    go_well(some, "a", count=8, now=0.1)

    assert (after_one_round, some.limit("a", 0.2)) == (8, 16)


def test_the_cap_does_not_grow_beyond_its_ceiling():
    some = caps(ceiling=6)

    go_well(some, "a", count=100, now=0.0)

    assert some.limit("a", 0.1) == 6


def test_one_keys_success_is_not_anothers():
    some = caps()

    go_well(some, "a", count=4, now=0.0)

    assert some.limit("b", 0.1) == 4


def test_exchanges_that_hang_bring_the_cap_down_before_they_end():
    some = caps()
    go_well(some, "a", count=60, now=0.0)
    for token in range(64):
        some.began("a", token, 1.0)

    assert some.limit("a", 2.0) == 64
    assert some.limit("a", 2.1) == 1


def test_a_slow_exchange_counts_once_however_often_one_looks():
    some = caps()
    some.began("a", 1, 0.0)

    assert [some.limit("a", now) for now in (0.9, 1.1, 2.0, 3.0)] == [4, 2, 2, 2]

    some.ended("a", 1, 4.0, succeeded=True)
    assert some.limit("a", 4.0) == 2


def test_an_exchange_that_was_slow_counts_even_if_nobody_looked_meanwhile():
    some = caps()
    some.began("a", 1, 0.0)

    some.ended("a", 1, SLOW_S, succeeded=True)

    assert some.limit("a", SLOW_S) == 2


def test_a_time_out_brings_the_cap_down_to_its_floor():
    some = caps()
    go_well(some, "a", count=60, now=0.0)
    some.began("a", 1, 1.0)

    some.ended("a", 1, 16.0, succeeded=False)

    assert some.limit("a", 16.0) == 1


def test_a_quick_refusal_changes_nothing():
    some = caps()
    some.began("a", 1, 0.0)

    some.ended("a", 1, QUICK_S, succeeded=False)

    assert some.limit("a", QUICK_S) == 4


def test_a_target_that_has_recovered_is_trusted_again():
    some = caps()
    some.began("a", 1, 0.0)
    some.ended("a", 1, 15.0, succeeded=False)

    go_well(some, "a", count=1, now=16.0)
    go_well(some, "a", count=2, now=16.1)
    go_well(some, "a", count=4, now=16.2)

    assert some.limit("a", 16.3) == 8


def test_an_exchange_that_is_not_known_of_is_ignored():
    some = caps()

    some.ended("a", 1, 0.0, succeeded=True)
    some.began("a", 2, 0.0)
    some.ended("a", 1, 0.1, succeeded=True)

    assert some.limit("a", 0.1) == 4


def test_nothing_is_remembered_where_nothing_was_learned():
    some = caps()
    some.began("a", 1, 0.0)

    some.ended("a", 1, QUICK_S, succeeded=False)

    assert len(some) == 0


def test_who_has_been_idle_for_long_is_a_stranger_again():
    some = caps(forget_after_s=60.0)
    go_well(some, "a", count=10, now=0.0)

    go_well(some, "b", count=1, now=61.0)

    assert len(some) == 1
    assert some.limit("a", 61.0) == 4


def test_of_the_idle_only_so_many_are_remembered_the_latest():
    some = caps(most_idle=3)
    for key in range(10):
        go_well(some, key, count=2, now=0.0)

    assert [key for key in range(10) if some.limit(key, 0.1) == 6] == [7, 8, 9]


def test_who_is_busy_is_not_forgotten():
    some = caps(most_idle=1, forget_after_s=1.0)
    go_well(some, "a", count=4, now=0.0)
    some.began("a", "long", 0.5)
    for key in range(5):
        go_well(some, key, count=1, now=50.0)

    assert some.limit("a", 50.1) == 4  # 8, halved

    some.ended("a", "long", 60.0, succeeded=True)
    assert some.limit("a", 60.0) == 4


class Caps(RuleBasedStateMachine):
    """Whatever happens: between the bounds, nothing forgotten that goes on, nothing kept."""

    bounds = CapRules(start=4, floor=2, ceiling=9, forget_after_s=5.0, most_idle=2)

    def __init__(self):
        super().__init__()
        self.caps = AdaptiveCaps(self.bounds)
        self.now = 0.0
        self.going = set()
        self.count = 0

    @rule(seconds=st.floats(0, 3))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(key=st.integers(0, 5))
    def begin(self, key):
        self.count += 1
        self.going.add((key, self.count))
        self.caps.began(key, self.count, self.now)

    @precondition(lambda self: self.going)
    @rule(data=st.data(), succeeded=st.booleans())
    def end(self, data, succeeded):
        key, token = data.draw(st.sampled_from(sorted(self.going)))
        self.going.remove((key, token))
        self.caps.ended(key, token, self.now, succeeded=succeeded)

    @invariant()
    def within_bounds(self):
        limits = {self.caps.limit(key, self.now) for key in range(6)}
        assert self.bounds.floor <= min(limits) <= max(limits) <= self.bounds.ceiling

    @invariant()
    def remembers_those_that_go_on_and_a_few_more(self):
        busy = len({key for key, _ in self.going})
        assert busy <= len(self.caps) <= busy + self.bounds.most_idle


TestCaps = Caps.TestCase
TestCaps.settings = settings(
    derandomize=True, max_examples=30, stateful_step_count=30, deadline=None
)


def test_a_bucket_lets_a_tenth_of_a_second_through_at_once():
    bucket = TokenBucket(20.0, now=0.0)

    assert bucket.take(0.0, 100) == 2


def test_a_bucket_fills_up_evenly():
    bucket = TokenBucket(20.0, now=0.0)
    bucket.take(0.0, 2)

    assert [bucket.take(now, 5) for now in (0.04, 0.05, 0.1, 9.0)] == [0, 1, 1, 2]


def test_a_bucket_says_when_to_come_back():
    bucket = TokenBucket(20.0, now=0.0)

    assert bucket.next_at() == 0.0
    bucket.take(0.0, 2)
    assert bucket.next_at() == pytest.approx(0.05)
    assert bucket.take(bucket.next_at()) == 1


def test_a_rate_below_one_a_second_is_kept_too():
    bucket = TokenBucket(0.5, now=0.0)

    assert [bucket.take(float(now)) for now in range(6)] == [1, 0, 1, 0, 1, 0]


def test_what_did_not_go_after_all_can_go_later():
    bucket = TokenBucket(20.0, now=0.0)
    bucket.take(0.0, 2)

    bucket.give_back(5)

    assert bucket.take(0.0, 5) == 2


def test_a_clock_that_stands_or_goes_back_gives_nothing():
    bucket = TokenBucket(20.0, now=10.0)
    bucket.take(10.0, 2)

    assert bucket.take(10.0, 1) == 0
    assert bucket.take(5.0, 1) == 0
    assert bucket.take(10.05, 1) == 1


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.sampled_from([0.5, 1.0, 20.0, 29.0, 300.0]),
    st.lists(st.tuples(st.floats(0, 0.7), st.integers(0, 40)), max_size=60),
)
def test_no_stretch_of_time_sees_more_than_the_rate_and_a_burst(per_second, asked):
    bucket = TokenBucket(per_second, now=0.0)
    now, gone = 0.0, []
    for wait, count in asked:
        now += wait
        gone.append((now, bucket.take(now, count)))

    burst = max(1.0, per_second / 10)
    for first, (since, _) in enumerate(gone):
        total = 0
        for at, taken in gone[first:]:
            total += taken
            assert total <= burst + (at - since) * per_second + 1e-6
