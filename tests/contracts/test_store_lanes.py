"""Lanes: what waits for one subscription waits apart. See `app.storage.lanes`."""

from datetime import timedelta

import pytest

from app.core.deliveries import MOST_LOSSES, DeliveryState, OutcomeKind
from app.core.health import HEALTHY, Health, Lane
from app.core.ids import DeliveryId, SubscriptionId
from app.core.subscriptions import StateReason, SubscriptionState
from app.storage.gates import OpenGate
from tests.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    SUBSCRIPTION,
    a_delivery,
    a_settlement,
    a_subscription,
    furnish,
    retried,
    succeeded,
)

OTHER = SubscriptionId("sub_2")


class Paced(OpenGate):
    """Lets a subscription's lane give out so many per second."""

    def __init__(self, per_second):
        self.per_second = per_second

    def pace(self, _subscription):
        return self.per_second


class Closed(OpenGate):
    """Takes nothing of one subscription."""

    def __init__(self, of):
        self.of = of

    def room(self, subscription):
        return 0 if subscription.id == self.of else super().room(subscription)

    def take(self, subscription, delivery_id, *, retries, losses):
        del delivery_id, retries, losses
        return subscription.id != self.of


def deliveries(count, subscription_id=SUBSCRIPTION, prefix="dlv_", **changes):
    return [
        a_delivery(
            id=DeliveryId(f"{prefix}{number:03d}"), subscription_id=subscription_id, **changes
        )
        for number in range(count)
    ]


def add_other(store, *added):
    with store.write() as tx:
        tx.add_subscription(a_subscription(id=OTHER), fingerprint="other")
        tx.add_deliveries(added)


def claim(store, *, now=NOW, limit=10, worker="w1", gate=None):
    with store.write() as tx:
        return tx.claim_due(
            worker=worker, now=now, lease_until=now + MINUTE, limit=limit, gate=gate
        )


def ids_of(claimed):
    return [one.delivery.id for one in claimed]


def set_lane(store, lane, now=NOW):
    with store.write() as tx:
        tx.set_lane(SUBSCRIPTION, lane, now=now)


def next_due_at(store):
    with store.read() as tx:
        return tx.next_due_at()


def test_nothing_leaves_a_lane_before_its_time(store):
    furnish(store, *deliveries(3))

    set_lane(store, Lane(not_before=NOW + MINUTE))

    assert claim(store) == ()
    assert next_due_at(store) == NOW + MINUTE
    assert len(claim(store, now=NOW + MINUTE)) == 3


def test_what_is_published_meanwhile_waits_in_the_lane_too(store):
    furnish(store)
    set_lane(store, Lane(not_before=NOW + MINUTE))
    with store.write() as tx:
        tx.add_deliveries(deliveries(2))

    assert claim(store) == ()
    assert len(claim(store, now=NOW + MINUTE)) == 2


def test_a_lane_delays_nobody_else(store):
    furnish(store, *deliveries(30))
    add_other(store, *deliveries(2, OTHER, "dlv_z", next_attempt_at=NOW + SECOND))
    set_lane(store, Lane(not_before=NOW + DAY))

    assert ids_of(claim(store, now=NOW + MINUTE, limit=5)) == ["dlv_z000", "dlv_z001"]


def test_a_lane_that_trickles_gives_out_one_until_that_is_settled(store):
    furnish(store, *deliveries(3))
    set_lane(store, Lane(not_before=NOW, trickle=True))
    assert claim(store) == ()  # moves what was in the open

    [probe] = claim(store)
    assert claim(store, now=NOW + 30 * SECOND) == ()

    with store.write() as tx:
        tx.settle([a_settlement(probe, succeeded())])
        tx.set_lane(SUBSCRIPTION, Lane(), now=NOW + 30 * SECOND)
    assert len(claim(store, now=NOW + 30 * SECOND)) == 2


def test_a_probe_need_not_wait_for_its_own_time(store):
    furnish(store)
    set_lane(store, Lane(not_before=NOW, trickle=True))
    with store.write() as tx:
        tx.add_deliveries(deliveries(1, next_attempt_at=NOW + DAY))

    assert len(claim(store, now=NOW + SECOND)) == 1


def test_a_probe_that_the_gate_refuses_is_offered_again_soon(store):
    furnish(store)
    set_lane(store, Lane(not_before=NOW, trickle=True))
    with store.write() as tx:
        tx.add_deliveries(deliveries(1, next_attempt_at=NOW + DAY))

    assert claim(store, now=NOW, gate=Closed(SUBSCRIPTION)) == ()

    assert len(claim(store, now=NOW + SECOND)) == 1


def test_a_lane_that_a_race_left_open_gives_nothing_out_under_a_pause(store):
    furnish(store, *deliveries(2))
    with store.write() as tx:
        tx.save_subscription(a_subscription(state=SubscriptionState.PAUSED), fingerprint="f1")
    claim(store)
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE lanes SET is_held = false")
    with store.write() as tx:
        tx.add_deliveries(deliveries(1, prefix="dlv_new"))

    assert claim(store, now=NOW + DAY) == ()


def test_claims_of_one_serve_the_open_and_the_lanes_in_turn(store):
    furnish(store, *deliveries(20))
    claim(store, gate=Closed(SUBSCRIPTION))  # into the lane
    add_other(store, *deliveries(20, OTHER, "dlv_z"))

    taken = [
        claim(store, now=NOW + SECOND + timedelta(microseconds=tick), limit=1)[0].subscription.id
        for tick in range(10)
    ]

    assert {SUBSCRIPTION, OTHER} == set(taken)


def test_a_probe_whose_worker_died_is_taken_up_after_its_lease(store):
    furnish(store, *deliveries(2))
    set_lane(store, Lane(not_before=NOW, trickle=True))
    claim(store)
    assert len(claim(store)) == 1

    assert len(claim(store, now=NOW + 2 * MINUTE, worker="w2")) == 1


def test_a_lane_with_a_pace_gives_out_no_more_than_that(store):
    furnish(store, *deliveries(100))
    set_lane(store, Lane(not_before=NOW - SECOND, trickle=False))
    gate = Paced(20.0)
    claim(store, gate=Closed(SUBSCRIPTION), limit=100)  # all of it into the lane

    taken = 0
    for tick in range(100):
        now = NOW + SECOND + tick * timedelta(milliseconds=10)
        taken += len(claim(store, now=now, gate=gate, limit=100))

    assert 18 <= taken <= 22


def test_what_a_gate_does_not_let_in_moves_out_of_the_way(store):
    furnish(store, *deliveries(40))
    add_other(store, *deliveries(2, OTHER, "dlv_z", next_attempt_at=NOW + SECOND))
    later = NOW + MINUTE

    first = claim(store, now=later, limit=5, gate=Closed(SUBSCRIPTION))
    then = claim(store, now=later + SECOND, limit=100)

    assert ids_of(first) == ["dlv_z000", "dlv_z001"]
    assert len(then) == 40


def test_a_drained_lane_closes_and_new_deliveries_go_in_the_open(store):
    furnish(store, *deliveries(2))
    claim(store, gate=Closed(SUBSCRIPTION))
    assert len(claim(store, now=NOW + SECOND)) == 2
    assert claim(store, now=NOW + 2 * SECOND) == ()
    with store.write() as tx:
        tx.add_deliveries(deliveries(1, prefix="dlv_new"))

    assert next_due_at(store) == NOW
    assert ids_of(claim(store, now=NOW + SECOND)) == ["dlv_new000"]


def test_a_retry_waits_in_an_open_lane(store):
    furnish(store, *deliveries(1))
    [claimed] = claim(store)
    set_lane(store, Lane(not_before=NOW + 5 * MINUTE))

    with store.write() as tx:
        tx.settle([a_settlement(claimed, retried())])

    assert claim(store, now=NOW + 2 * MINUTE) == ()
    assert len(claim(store, now=NOW + 5 * MINUTE)) == 1


def test_a_paused_subscription_is_not_set_going_by_its_lane(store):
    furnish(store, *deliveries(1))
    with store.write() as tx:
        tx.save_subscription(a_subscription(state=SubscriptionState.PAUSED), fingerprint="f1")

    set_lane(store, Lane())
    set_lane(store, Lane(not_before=NOW, trickle=True))

    assert claim(store, now=NOW + DAY) == ()


# Losses


def lose(store, times, *, start=NOW):
    """Let workers claim and die so often; return the time after the last lease."""
    now = start
    for number in range(times):
        claim(store, now=now, worker=f"w{number}")
        now += 2 * MINUTE
    return now


def test_a_claim_says_how_many_workers_died_with_it(store):
    furnish(store, *deliveries(1))

    now = lose(store, 2)

    [claimed] = claim(store, now=now)
    assert claimed.losses == 2


def test_what_too_many_workers_died_with_is_set_aside_as_failed(store):
    furnish(store, *deliveries(1))

    now = lose(store, MOST_LOSSES + 1)

    assert claim(store, now=now) == ()
    with store.read() as tx:
        [set_aside] = [tx.delivery("dlv_000")]
    assert (set_aside.state, set_aside.outcome) == (DeliveryState.FAILED, OutcomeKind.INTERNAL)


def test_what_a_dead_worker_held_waits_in_the_lane_as_pending(store):
    furnish(store, *deliveries(1))
    claim(store)
    later = NOW + 2 * MINUTE
    set_lane(store, Lane(not_before=later + DAY))

    assert claim(store, now=later) == ()

    with store.read() as tx:
        assert tx.delivery("dlv_000").state is DeliveryState.PENDING
    [claimed] = claim(store, now=later + DAY)
    assert claimed.losses == 1


def test_a_delivery_that_is_sent_again_on_request_starts_without_losses(store):
    furnish(store, *deliveries(1))
    now = lose(store, MOST_LOSSES + 1)
    claim(store, now=now)

    with store.write() as tx:
        assert tx.requeue("dlv_000", now=now)

    [claimed] = claim(store, now=now)
    assert claimed.losses == 0


def test_an_attempt_that_came_back_clears_its_delivery_of_earlier_losses(store):
    furnish(store, *deliveries(1))
    now = lose(store, 3)
    [claimed] = claim(store, now=now)

    with store.write() as tx:
        tx.settle([a_settlement(claimed, retried())])

    [again] = claim(store, now=now + DAY)
    assert again.losses == 0


def test_the_lease_of_a_worker_whose_clock_is_ahead_a_little_is_left_alone(store):
    furnish(store, *deliveries(1))
    claim(store, now=NOW + 30 * SECOND)

    with store.write() as tx:
        assert tx.shorten_leases(now=NOW, longest=MINUTE) == 0


def test_a_lease_that_a_clock_set_back_made_too_long_is_ended(store):
    furnish(store, *deliveries(2))
    claim(store, now=NOW + DAY, limit=1)
    back = NOW + MINUTE
    claim(store, now=back, limit=1, worker="w2")

    with store.write() as tx:
        assert tx.shorten_leases(now=back, longest=MINUTE) == 1

    assert len(claim(store, now=back + SECOND, worker="w3")) == 1


# Health and states


def test_health_is_kept_until_all_is_well(store):
    furnish(store)
    ill = Health(failing_since=NOW, failure_count=3, window_started_at=NOW, trips=1)
    with store.write() as tx:
        tx.save_health(SUBSCRIPTION, ill)
        assert tx.healths([SUBSCRIPTION, "sub_none"]) == {SUBSCRIPTION: ill}

        tx.save_health(SUBSCRIPTION, HEALTHY)
        assert tx.healths([SUBSCRIPTION]) == {}


def move(store, state, version=1):
    with store.write() as tx:
        return tx.move_subscription(
            SUBSCRIPTION, state=state, reason=StateReason.TARGET_OFF, version=version, now=NOW
        )


def current(store):
    with store.read() as tx:
        return tx.subscription(SUBSCRIPTION)


def test_the_service_suspends_and_reinstates(store):
    furnish(store, *deliveries(2))

    assert move(store, SubscriptionState.SUSPENDED)
    assert claim(store, now=NOW + DAY) == ()
    assert current(store).version == 2

    assert move(store, SubscriptionState.ACTIVE, version=2)
    assert len(claim(store, now=NOW + DAY)) == 2


def test_what_was_changed_meanwhile_is_not_suspended(store):
    furnish(store)

    assert not move(store, SubscriptionState.SUSPENDED, version=7)

    assert current(store).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("state", [SubscriptionState.PAUSED, SubscriptionState.ENDED])
def test_what_a_person_paused_or_ended_is_not_suspended(store, state):
    furnish(store)
    with store.write() as tx:
        tx.save_subscription(a_subscription(state=state), fingerprint="f1")

    assert not move(store, SubscriptionState.SUSPENDED)

    assert current(store).state is state


def test_ending_by_the_service_cancels_what_waits_in_the_lane(store):
    furnish(store, *deliveries(2))
    set_lane(store, Lane(not_before=NOW + DAY))
    claim(store)

    assert move(store, SubscriptionState.ENDED)

    with store.read() as tx:
        assert tx.delivery("dlv_001").state is DeliveryState.CANCELLED
    assert claim(store) == ()
    assert next_due_at(store) is None


def test_what_is_put_into_a_lane_while_its_subscription_ends_is_cancelled(store):
    furnish(store)
    set_lane(store, Lane(not_before=NOW + DAY))
    with store.write() as tx:
        tx.add_deliveries(deliveries(2))
    with store.write() as tx:
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.UNSUBSCRIBED, now=NOW)
    with store.database.writing() as connection:  # as an ingest that began before would
        connection.exec_driver_sql(
            "UPDATE deliveries SET state = 'pending', settled_at = NULL, lane_at = created_at"
        )

    assert claim(store, now=NOW + SECOND) == ()

    with store.read() as tx:
        assert tx.delivery("dlv_000").state is DeliveryState.CANCELLED


def test_subscriptions_that_are_off_are_listed_by_platform(store):
    furnish(store)
    add_other(store)
    move(store, SubscriptionState.SUSPENDED)

    with store.read() as tx:
        assert [one.id for one in tx.subscriptions_off({"generic"}, limit=5)] == [SUBSCRIPTION]
        assert tx.subscriptions_off({"make"}, limit=5) == ()
