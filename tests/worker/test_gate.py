"""What a worker takes of each subscription and host. See `app.worker.gate`."""

import pytest

from app.worker.gate import SlotGate
from tests.builders import a_subscription

ONE = a_subscription(id="sub_1", target_url="https://one.example.com/a")
SAME_HOST = a_subscription(id="sub_2", target_url="https://one.example.com/b")
OTHER = a_subscription(id="sub_3", target_url="https://other.example.com/a")


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


def a_gate(seconds, *, slots=100, pace=None, **options):
    return SlotGate(slots, pace_of=lambda _one: pace, monotonic=seconds, **options)


def take(gate, subscription, names, **changes):
    """Return which of the named deliveries the gate takes."""
    how = {"retries": 0, "losses": 0} | changes
    return [name for name in names if gate.take(subscription, name, **how)]


def names(count, prefix="d"):
    return [f"{prefix}{number}" for number in range(count)]


def test_an_unknown_subscription_starts_with_a_few(seconds):
    gate = a_gate(seconds)

    assert len(take(gate, ONE, names(10))) == 4
    assert gate.full() == ["sub_1"]
    assert gate.room(OTHER) == 4


def test_quick_answers_earn_more(seconds):
    gate = a_gate(seconds)
    for name in take(gate, ONE, names(4)):
        gate.ended(name, succeeded=True)

    assert gate.room(ONE) == 8


def test_the_share_bounds_what_can_be_earned(seconds):
    gate = a_gate(seconds, share=6)
    for round_ in range(5):
        for name in take(gate, ONE, names(6, prefix=f"r{round_}-")):
            gate.ended(name, succeeded=True)

    assert gate.room(ONE) == 6


def test_what_hangs_loses_its_room_before_it_ends(seconds):
    gate = a_gate(seconds)
    take(gate, ONE, names(2))

    seconds.now += 1.5

    assert gate.full() == ["sub_1"]


def test_a_host_has_a_bound_over_all_its_subscriptions(seconds):
    gate = a_gate(seconds)
    taken = 0
    for number in range(10):
        one = a_subscription(id=f"sub_h{number}", target_url=f"https://one.example.com/{number}")
        taken += len(take(gate, one, names(4, prefix=f"{number}-")))

    assert taken == 16
    assert gate.room(SAME_HOST) <= 0
    assert gate.room(OTHER) == 4


def test_retries_leave_a_quarter_of_the_slots_to_first_attempts(seconds):
    gate = a_gate(seconds, slots=8)
    retried = []
    for number in range(10):
        one = a_subscription(id=f"sub_r{number}", target_url=f"https://r{number}.example.com/")
        retried += take(gate, one, names(1, prefix=f"r{number}-"), retries=1)

    assert len(retried) == 6
    assert len(take(gate, ONE, names(4))) == 2


def test_what_workers_died_with_goes_few_at_a_time_and_at_last_alone(seconds):
    gate = a_gate(seconds, slots=1000)
    many = [
        a_subscription(id=f"sub_l{number}", target_url=f"https://l{number}.example.com/")
        for number in range(60)
    ]

    def taken(losses):
        return sum(len(take(gate, one, [f"{one.id}-{losses}"], losses=losses)) for one in many)

    assert [taken(1), taken(2), taken(3)] == [32, 8, 1]


def test_a_pace_is_kept(seconds):
    gate = a_gate(seconds, pace=20.0)
    sent = 0
    for _tick in range(100):
        for name in take(gate, ONE, names(10, prefix=f"{seconds.now}-")):
            gate.ended(name, succeeded=True)
            sent += 1
        seconds.now += 0.01

    assert 20 <= sent <= 23


def test_a_claim_that_fails_leaves_no_trace(seconds):
    gate = a_gate(seconds)

    def failing_claim():
        with gate.claiming():
            take(gate, ONE, names(4))
            raise RuntimeError("no commit")

    with pytest.raises(RuntimeError):
        failing_claim()

    assert len(gate) == 0
    assert gate.room(ONE) == 4


def test_what_is_not_held_ends_without_effect(seconds):
    gate = a_gate(seconds)
    take(gate, ONE, ["d1"])

    gate.ended("d1", succeeded=True)
    gate.ended("d1", succeeded=True)

    assert len(gate) == 0
    assert gate.room(ONE) == 5


def test_what_is_taken_again_while_it_is_held_counts_once(seconds):
    gate = a_gate(seconds)
    take(gate, ONE, ["d1"])
    take(gate, ONE, ["d1"], losses=1)

    gate.ended("d1", succeeded=True)

    assert len(gate) == 0
    assert gate.full() == []
    assert gate.room(ONE) >= 4
    assert len(take(gate, ONE, ["d2"], losses=1)) == 1
