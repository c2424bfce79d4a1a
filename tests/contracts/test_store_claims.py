"""Claiming, settling and giving back. See `app.core.ports.DeliveryTx`."""

from collections import Counter

import pytest

from app.core.deliveries import DeliveryState, OutcomeKind, Verdict
from app.core.ids import DeliveryId, SubscriptionId
from app.core.subscriptions import StateReason, SubscriptionState
from app.storage.gates import OpenGate
from tests.builders import (
    DAY,
    DELIVERY,
    MINUTE,
    NOW,
    SECOND,
    SUBSCRIPTION,
    TARGET_URL,
    a_delivery,
    a_refusal,
    a_settlement,
    a_subscription,
    an_attempt,
    failed,
    furnish,
    retried,
    succeeded,
)

CANCELLED = DeliveryState.CANCELLED
PENDING = DeliveryState.PENDING
SENDING = DeliveryState.SENDING
SUCCEEDED = DeliveryState.SUCCEEDED
PAUSED = SubscriptionState.PAUSED
GONE = Verdict(state=CANCELLED, attempt_count=1, ends_subscription=StateReason.TARGET_GONE)
HOLDING = [SubscriptionState.PAUSED, SubscriptionState.SUSPENDED]


def claim(store, *, now=NOW, worker="w1", limit=10):
    with store.write() as tx:
        return tx.claim_due(worker=worker, now=now, lease_until=now + MINUTE, limit=limit)


def claim_one(store, **changes):
    (claimed,) = claim(store, **changes)
    return claimed


def settle(store, *settlements):
    with store.write() as tx:
        return tx.settle(settlements)


def put_state(store, state):
    with store.write() as tx:
        tx.save_subscription(a_subscription(state=state), fingerprint="f1")


def end(store, now=NOW):
    with store.write() as tx:
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.UNSUBSCRIBED, now=now)


def delivery(store, delivery_id=DELIVERY):
    with store.read() as tx:
        return tx.delivery(delivery_id)


def next_due_at(store):
    with store.read() as tx:
        return tx.next_due_at()


def ids_of(claims):
    return [claimed.delivery.id for claimed in claims]


class ShareGate(OpenGate):
    """Takes so many deliveries of each subscription."""

    def __init__(self, each, taken=()):
        self.each = each
        self.held = Counter(taken)

    def full(self):
        return [one for one, count in self.held.items() if count >= self.each]

    def room(self, subscription):
        return self.each - self.held[subscription.id]

    def take(self, subscription, _delivery_id, *, retries, losses):
        del retries, losses
        if self.room(subscription) <= 0:
            return False
        self.held[subscription.id] += 1
        return True


# Claiming


def test_a_claim_holds_everything_that_an_attempt_needs(store):
    furnish(store, a_delivery(attempt_count=2))

    claimed = claim_one(store)

    assert claimed.delivery == a_delivery(attempt_count=2, state=SENDING, next_attempt_at=NOW)
    assert claimed.subscription == a_subscription()
    assert claimed.event_type == "appointment.create"
    assert claimed.body == b'{"id":"evt_1"}'
    lease = claimed.lease
    assert (lease.delivery_id, lease.worker, lease.fence) == (DELIVERY, "w1", 1)
    assert lease.expires_at == NOW + MINUTE
    assert delivery(store) == claimed.delivery


def test_what_is_claimed_is_not_claimed_again(store):
    furnish(store, a_delivery())
    claim_one(store)

    assert claim(store, now=NOW + 59 * SECOND, worker="w2") == ()


def test_the_oldest_due_come_first_and_no_more_than_asked(store):
    furnish(
        store,
        a_delivery(id="dlv_1", next_attempt_at=NOW - 1 * MINUTE),
        a_delivery(id="dlv_2", next_attempt_at=NOW - 3 * MINUTE),
        a_delivery(id="dlv_3", next_attempt_at=NOW - 2 * MINUTE),
    )

    assert ids_of(claim(store, limit=2)) == ["dlv_2", "dlv_3"]
    assert ids_of(claim(store, limit=2)) == ["dlv_1"]


def test_what_is_not_due_yet_is_not_claimed(store):
    furnish(store, a_delivery(next_attempt_at=NOW + SECOND))

    assert claim(store) == ()
    assert next_due_at(store) == NOW + SECOND
    assert len(claim(store, now=NOW + SECOND)) == 1


def test_a_pending_delivery_without_a_time_is_due_from_the_start(store):
    furnish(store, a_delivery(next_attempt_at=None))

    assert next_due_at(store) == NOW
    assert len(claim(store)) == 1


@pytest.mark.parametrize("state", [SUCCEEDED, DeliveryState.FAILED, CANCELLED])
def test_what_is_settled_is_not_claimed(store, state):
    furnish(store, a_delivery(state=state))

    assert claim(store) == ()
    assert next_due_at(store) is None


def test_a_lease_that_ended_is_claimed_with_a_higher_fence(store):
    furnish(store, a_delivery())
    claim_one(store)

    assert next_due_at(store) == NOW + MINUTE
    again = claim_one(store, now=NOW + MINUTE, worker="w2")

    assert (again.lease.worker, again.lease.fence) == ("w2", 2)


def test_a_lease_must_end_in_the_future(store):
    with store.write() as tx, pytest.raises(ValueError, match="future"):
        tx.claim_due(worker="w", now=NOW, lease_until=NOW, limit=1)


def test_many_are_claimed_at_once(store):
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(1200)))

    claims = claim(store, limit=1100)

    assert len(set(ids_of(claims))) == 1100
    assert len(claim(store, limit=1100)) == 100


# Holding, while the subscription is paused or suspended


@pytest.mark.parametrize("state", HOLDING)
def test_deliveries_wait_while_the_subscription_does(store, state):
    furnish(store, a_delivery())

    put_state(store, state)

    assert claim(store) == ()
    assert next_due_at(store) is None
    assert delivery(store) == a_delivery()


@pytest.mark.parametrize("state", HOLDING)
def test_deliveries_are_let_go_at_their_own_time(store, state):
    furnish(store, a_delivery(next_attempt_at=NOW + MINUTE), a_delivery(id="dlv_2"))
    put_state(store, state)

    put_state(store, SubscriptionState.ACTIVE)

    assert next_due_at(store) == NOW
    assert ids_of(claim(store, now=NOW + DAY)) == ["dlv_2", "dlv_1"]


def test_a_new_delivery_to_a_paused_subscription_waits(store):
    furnish(store)
    put_state(store, PAUSED)
    with store.write() as tx:
        tx.add_deliveries([a_delivery()])

    assert claim(store) == ()
    put_state(store, SubscriptionState.ACTIVE)
    assert ids_of(claim(store)) == [DELIVERY]


def test_from_paused_to_suspended_it_goes_on_waiting(store):
    furnish(store, a_delivery())
    put_state(store, PAUSED)

    put_state(store, SubscriptionState.SUSPENDED)

    assert claim(store) == ()


def test_saving_something_else_lets_nothing_go(store):
    furnish(store, a_delivery())
    put_state(store, PAUSED)

    put_state(store, PAUSED)

    assert claim(store) == ()


def test_a_retry_of_a_paused_subscription_waits(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)
    put_state(store, PAUSED)

    assert settle(store, a_settlement(claimed, retried())) == ()

    assert delivery(store).state is PENDING
    assert next_due_at(store) is None
    put_state(store, SubscriptionState.ACTIVE)
    assert claim(store) == ()
    assert next_due_at(store) == NOW + MINUTE


def test_a_lease_that_ended_under_a_pause_is_claimed_after_it(store):
    furnish(store, a_delivery())
    claim_one(store)
    put_state(store, PAUSED)
    assert claim(store, now=NOW + DAY) == ()

    put_state(store, SubscriptionState.ACTIVE)

    assert claim_one(store, now=NOW + DAY).lease.fence == 2


# Ending


def test_a_claim_cancels_a_new_delivery_to_an_ended_subscription(store):
    furnish(store)
    end(store)

    with store.write() as tx:
        tx.add_deliveries([a_delivery()])

    assert claim(store) == ()
    assert (delivery(store).state, delivery(store).settled_at) == (CANCELLED, NOW)


def test_ending_leaves_what_is_being_sent_to_its_verdict(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)

    end(store, now=NOW + SECOND)

    assert delivery(store).state is SENDING
    assert settle(store, a_settlement(claimed, succeeded())) == ()
    assert delivery(store).state is SUCCEEDED


def test_ending_cancels_what_nobody_sends_any_more(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)

    end(store, now=NOW + MINUTE)

    assert delivery(store).state is CANCELLED
    assert settle(store, a_settlement(claimed, succeeded())) == (DELIVERY,)
    assert delivery(store).state is CANCELLED


def test_a_retry_of_an_ended_subscription_is_cancelled(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)
    end(store, now=NOW + SECOND)

    assert settle(store, a_settlement(claimed, retried())) == ()

    ended = delivery(store)
    assert (ended.state, ended.next_attempt_at) == (CANCELLED, None)
    assert ended.settled_at is not None
    assert claim(store, now=NOW + SECOND) == ()
    assert next_due_at(store) is None


@pytest.mark.parametrize("before_end", [SubscriptionState.ACTIVE, PAUSED])
def test_what_a_dead_worker_left_of_an_ended_subscription_is_cancelled(store, before_end):
    furnish(store, a_delivery())
    claim_one(store)
    put_state(store, before_end)
    end(store, now=NOW + SECOND)
    assert delivery(store).state is SENDING

    assert claim(store, now=NOW + SECOND) == ()
    assert next_due_at(store) == NOW + MINUTE
    assert claim(store, now=NOW + MINUTE) == ()

    assert (delivery(store).state, delivery(store).settled_at) == (CANCELLED, NOW + MINUTE)
    assert next_due_at(store) is None


def test_what_cannot_be_sent_does_not_use_up_the_batch(store):
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(3)))
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")
        late = a_delivery(id="dlv_9", subscription_id="sub_2", next_attempt_at=NOW + MINUTE)
        tx.add_deliveries([late])
    claim(store)
    end(store, now=NOW + SECOND)

    assert ids_of(claim(store, now=NOW + MINUTE, limit=2)) == ["dlv_9"]


# Settling


def test_a_success_ends_the_story(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)

    assert settle(store, a_settlement(claimed, succeeded(), settled_at=NOW + SECOND)) == ()

    assert delivery(store) == a_delivery(
        state=SUCCEEDED,
        attempt_count=1,
        settled_at=NOW + SECOND,
        outcome=OutcomeKind.SUCCEEDED,
        status_code=200,
    )
    assert claim(store, now=NOW + DAY) == ()


def test_a_retry_is_due_at_its_time(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)
    attempt = an_attempt(outcome=a_refusal(503))

    settle(store, a_settlement(claimed, retried(), attempt=attempt))

    assert delivery(store) == a_delivery(
        attempt_count=1,
        next_attempt_at=NOW + MINUTE,
        outcome=OutcomeKind.HTTP_STATUS,
        status_code=503,
    )
    assert next_due_at(store) == NOW + MINUTE
    assert claim_one(store, now=NOW + MINUTE).lease.fence == 2


def test_settling_again_after_a_lost_answer_changes_nothing(store):
    furnish(store, a_delivery(), a_delivery(id="dlv_2"))
    first, second = (a_settlement(each, succeeded()) for each in claim(store))
    settle(store, first)

    assert settle(store, first, second) == (first.lease.delivery_id,)

    with store.read() as tx:
        assert len(tx.attempts(first.lease.delivery_id)) == 1
        assert tx.activity([SUBSCRIPTION])[SUBSCRIPTION].delivery_count == 2


def test_a_batch_is_settled_each_by_its_own_verdict(store):
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(3)))
    verdicts = [succeeded(), failed(), retried()]

    lost = settle(store, *map(a_settlement, claim(store), verdicts))

    assert lost == ()
    states = [delivery(store, f"dlv_{number}").state for number in range(3)]
    assert states == [verdict.state for verdict in verdicts]


def test_an_old_fence_changes_nothing_and_its_attempt_is_kept(store):
    furnish(store, a_delivery())
    old = claim_one(store)
    new = claim_one(store, now=NOW + MINUTE, worker="w2")

    lost = settle(store, a_settlement(old, succeeded()))

    assert lost == (DELIVERY,)
    assert delivery(store).state is SENDING
    with store.read() as tx:
        assert [attempt.id for attempt in tx.attempts(DELIVERY)] == ["att_dlv_1_1"]
        assert tx.activity([SUBSCRIPTION])[SUBSCRIPTION].delivery_count == 0
    assert settle(store, a_settlement(new, failed())) == ()
    assert delivery(store).state is DeliveryState.FAILED


def test_an_old_fence_does_not_end_the_subscription(store):
    furnish(store, a_delivery())
    old = claim_one(store)
    claim_one(store, now=NOW + MINUTE)

    settle(store, a_settlement(old, GONE))

    with store.read() as tx:
        assert tx.subscription(SUBSCRIPTION).state is SubscriptionState.ACTIVE


def test_settling_twice_loses_the_second_time(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)
    settle(store, a_settlement(claimed, succeeded()))

    again = a_settlement(claimed, failed(), attempt=an_attempt(id="att_other"))
    assert settle(store, again) == (DELIVERY,)

    assert delivery(store).state is SUCCEEDED


def test_only_the_lost_of_a_batch_are_reported(store):
    furnish(store, a_delivery(id="dlv_1"), a_delivery(id="dlv_2"))
    first, second = claim(store)
    with store.write() as tx:
        tx.release([first.lease])
    claim_one(store, worker="w2")

    lost = settle(store, a_settlement(first, succeeded()), a_settlement(second, succeeded()))

    assert lost == ("dlv_1",)
    assert delivery(store, "dlv_2").state is SUCCEEDED


def test_a_settlement_of_a_pruned_delivery_is_lost(store):
    furnish(store, a_delivery())
    old = claim_one(store)
    new = claim_one(store, now=NOW + MINUTE)
    settle(store, a_settlement(new, succeeded()))
    with store.write() as tx:
        tx.prune(before=NOW + DAY, limit=1)

    assert settle(store, a_settlement(old, succeeded())) == (DELIVERY,)


def test_a_verdict_that_ends_the_subscription_cancels_the_rest(store):
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in (1, 2, 3)))
    first, second = claim(store, limit=2)

    settle(store, a_settlement(first, retried()), a_settlement(second, GONE))

    with store.read() as tx:
        ended = tx.subscription(SUBSCRIPTION)
    assert (ended.state, ended.state_reason) == (
        SubscriptionState.ENDED,
        StateReason.TARGET_GONE,
    )
    assert {delivery(store, f"dlv_{number}").state for number in (1, 2, 3)} == {CANCELLED}


def test_a_verdict_about_an_older_target_does_not_end_the_subscription(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)
    moved = a_subscription(version=2, target_url="https://hooks.example.com/new")
    with store.write() as tx:
        tx.save_subscription(moved, fingerprint="f2")

    assert settle(store, a_settlement(claimed, GONE, settled_at=NOW + SECOND)) == ()

    with store.read() as tx:
        assert tx.subscription(SUBSCRIPTION) == moved
    assert (delivery(store).state, delivery(store).settled_at) == (PENDING, None)
    assert claim_one(store, now=NOW + SECOND).subscription == moved


def test_a_second_verdict_that_ends_the_subscription_cancels_its_own_delivery(store):
    furnish(store, a_delivery(id="dlv_1"), a_delivery(id="dlv_2"))
    first, second = claim(store)
    settle(store, a_settlement(first, GONE))

    assert settle(store, a_settlement(second, GONE)) == ()

    assert delivery(store, "dlv_2").state is CANCELLED


def test_nothing_to_settle_is_no_work(store):
    assert settle(store) == ()


# Giving back


def test_a_released_delivery_is_due_at_once(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)

    with store.write() as tx:
        tx.release([claimed.lease])

    assert delivery(store) == a_delivery()
    assert claim_one(store, worker="w2").lease.fence == 2


def test_a_lost_lease_releases_nothing(store):
    furnish(store, a_delivery())
    old = claim_one(store)
    claim_one(store, now=NOW + MINUTE)

    with store.write() as tx:
        tx.release([old.lease])

    assert delivery(store).state is SENDING


def test_what_is_released_after_the_end_is_cancelled(store):
    furnish(store, a_delivery())
    claimed = claim_one(store)
    end(store, now=NOW + SECOND)

    with store.write() as tx:
        tx.release([claimed.lease])

    assert (delivery(store).state, delivery(store).settled_at) == (CANCELLED, NOW + SECOND)


def test_no_subscription_gets_more_than_its_share(store):
    busy = [a_delivery(id=DeliveryId(f"dlv_b{number}")) for number in range(20)]
    furnish(store, *busy)
    other = a_subscription(id=SubscriptionId("sub_2"), target_url=TARGET_URL + "2")
    later = a_delivery(
        id=DeliveryId("dlv_z"), subscription_id=other.id, next_attempt_at=NOW + SECOND
    )
    with store.write() as tx:
        tx.add_subscription(other, fingerprint="other")
        tx.add_deliveries([later])

    def claimed(gate):
        now = NOW + MINUTE
        with store.write() as tx:
            found = tx.claim_due(
                worker="w1", now=now, lease_until=now + MINUTE, limit=10, gate=gate
            )
        return Counter(one.subscription.id for one in found)

    first = claimed(ShareGate(3))
    second = claimed(ShareGate(3, taken=first))
    third = claimed(ShareGate(5, taken=first))

    assert first == {"sub_1": 3, "sub_2": 1}
    assert second == {}
    assert third == {"sub_1": 2}
