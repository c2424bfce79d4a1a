"""Deliveries and their attempts as people read them. See `app.core.ports.DeliveryTx`."""

import pytest

from app.core.deliveries import DeliveryState, OutcomeKind
from app.core.records import DeliveryQuery
from app.core.subscriptions import StateReason, SubscriptionState
from tests.builders import (
    ACCOUNT,
    DAY,
    DELIVERY,
    MINUTE,
    NOW,
    SUBSCRIPTION,
    a_delivery,
    a_payload,
    a_settlement,
    a_subscription,
    an_account,
    an_attempt,
    an_event,
    an_idempotency_record,
    an_outcome,
    furnish,
    succeeded,
)

FAILED = DeliveryState.FAILED
SUCCEEDED = DeliveryState.SUCCEEDED


def add(store, *deliveries):
    with store.write() as tx:
        tx.add_deliveries(deliveries)


def delivery(store, delivery_id=DELIVERY):
    with store.read() as tx:
        return tx.delivery(delivery_id)


def listed(store, *, limit=10, cursor=None, **query):
    with store.read() as tx:
        page = tx.deliveries(ACCOUNT, DeliveryQuery(**query), limit=limit, cursor=cursor)
    return [each.id for each in page.items], page.next_cursor


def settle_one(store, **attempt):
    """Claim the one due delivery and let it succeed."""
    with store.write() as tx:
        (claimed,) = tx.claim_due(worker="w", now=NOW, lease_until=NOW + MINUTE, limit=5)
        settlement = a_settlement(claimed, succeeded(), attempt=an_attempt(**attempt))
        tx.settle([settlement])


def test_a_delivery_comes_back_whole(store):
    full = a_delivery(
        state=FAILED, attempt_count=10, outcome=OutcomeKind.HTTP_STATUS, status_code=500
    )

    furnish(store, full)

    assert delivery(store) == full


def test_a_pending_delivery_comes_back_whole(store):
    furnish(store, a_delivery(next_attempt_at=NOW + DAY))

    assert delivery(store) == a_delivery(next_attempt_at=NOW + DAY)


def test_an_unknown_delivery_is_none(store):
    assert delivery(store, "dlv_9") is None


def test_an_attempt_comes_back_whole(store):
    furnish(store, a_delivery())
    attempt = an_attempt(
        number=3,
        method="PUT",
        outcome=an_outcome(truncated=True, retry_after_seconds=7, detail="10.0.0.1 é"),
    )

    settle_one(store, number=3, method="PUT", outcome=attempt.outcome)

    with store.read() as tx:
        assert tx.attempts(DELIVERY) == (attempt,)
        assert tx.attempts("dlv_9") == ()


def test_what_a_hostile_receiver_sends_can_be_stored(store):
    furnish(store, a_delivery())
    headers = (("X-Nul\0", "a\0b"), ("X-Surrogate", "\udcff"), ("X-Emoji", "😀"))

    settle_one(store, outcome=an_outcome(response_headers=headers, detail="\0\ud800"))

    with store.read() as tx:
        (attempt,) = tx.attempts(DELIVERY)
    expected = (("X-Nul\ufffd", "a\ufffdb"), ("X-Surrogate", "?"), ("X-Emoji", "😀"))
    assert attempt.outcome.response_headers == expected


def test_deliveries_are_listed_newest_first_page_by_page(store):
    furnish(
        store,
        *(a_delivery(id=f"dlv_{number}", created_at=NOW + number * DAY) for number in range(1, 6)),
    )

    first, cursor = listed(store, limit=2)
    second, cursor = listed(store, limit=2, cursor=cursor)
    third, cursor = listed(store, limit=2, cursor=cursor)

    assert (first, second, third) == (["dlv_5", "dlv_4"], ["dlv_3", "dlv_2"], ["dlv_1"])
    assert cursor is None


def test_deliveries_are_filtered(store):
    furnish(store, a_delivery())
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")
        tx.add_events([an_event(id="evt_2")])
        tx.add_payloads([a_payload(id="pay_2", event_id="evt_2")])
    add(
        store,
        a_delivery(id="dlv_2", subscription_id="sub_2", created_at=NOW + DAY),
        a_delivery(id="dlv_3", event_id="evt_2", payload_id="pay_2", created_at=NOW + 2 * DAY),
        a_delivery(id="dlv_4", state=FAILED, trigger="new_user", created_at=NOW + 3 * DAY),
    )

    assert listed(store, subscription_id="sub_2")[0] == ["dlv_2"]
    assert listed(store, event_id="evt_2")[0] == ["dlv_3"]
    assert listed(store, trigger="new_user")[0] == ["dlv_4"]
    assert listed(store, state=FAILED)[0] == ["dlv_4"]
    assert listed(store, since=NOW + DAY, until=NOW + 3 * DAY)[0] == ["dlv_3", "dlv_2"]
    assert listed(store, subscription_id=SUBSCRIPTION, until=NOW + DAY)[0] == ["dlv_1"]


def test_deliveries_of_other_accounts_are_not_listed(store):
    furnish(store, a_delivery())

    with store.read() as tx:
        query = DeliveryQuery(subscription_id=SUBSCRIPTION)
        assert tx.deliveries("acc_2", query, limit=5, cursor=None).items == ()


def test_a_settled_delivery_is_queued_again_with_fresh_attempts(store):
    furnish(store, a_delivery(state=FAILED, attempt_count=10))

    with store.write() as tx:
        assert tx.requeue(DELIVERY, now=NOW + DAY)

    again = delivery(store)
    assert again.state is DeliveryState.PENDING
    assert (again.attempt_count, again.next_attempt_at, again.settled_at) == (0, NOW + DAY, None)
    with store.read() as tx:
        assert tx.next_due_at() == NOW + DAY


def test_only_a_settled_delivery_is_queued_again(store):
    furnish(store, a_delivery())

    with store.write() as tx:
        assert not tx.requeue(DELIVERY, now=NOW)
        assert not tx.requeue("dlv_9", now=NOW)


def test_nothing_is_queued_again_for_an_ended_subscription(store):
    furnish(store, a_delivery(state=FAILED))
    with store.write() as tx:
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.TARGET_GONE, now=NOW)

        assert not tx.requeue(DELIVERY, now=NOW)


def test_what_is_queued_again_for_a_paused_subscription_waits(store):
    furnish(store, a_delivery(state=FAILED))
    paused = a_subscription(state=SubscriptionState.PAUSED)
    with store.write() as tx:
        tx.save_subscription(paused, fingerprint="f1")

        assert tx.requeue(DELIVERY, now=NOW)

        assert tx.next_due_at() is None


def test_pruning_removes_old_events_and_all_that_hangs_on_them(store):
    furnish(store, a_delivery())
    settle_one(store)
    with store.write() as tx:
        tx.add_idempotency_records([an_idempotency_record()])
        tx.add_idempotency_records([an_idempotency_record(key="new", created_at=NOW + DAY)])

    with store.write() as tx:
        assert tx.prune(before=NOW + MINUTE, limit=10) == 1
        assert tx.prune(before=NOW + MINUTE, limit=10) == 0

    with store.read() as tx:
        assert tx.event("evt_1") is None
        assert tx.payload("pay_1") is None
        assert tx.delivery(DELIVERY) is None
        assert tx.attempts(DELIVERY) == ()
        assert tx.idempotency_record(ACCOUNT, "order-1") is None
        assert tx.idempotency_record(ACCOUNT, "new") is not None
        assert tx.activity([SUBSCRIPTION])[SUBSCRIPTION].delivery_count == 1


def test_pruning_keeps_what_is_young_or_unsettled(store):
    furnish(store, a_delivery(), a_delivery(id="dlv_2", state=SUCCEEDED))
    with store.write() as tx:
        tx.add_events([an_event(id="evt_2", received_at=NOW + DAY)])

    with store.write() as tx:
        assert tx.prune(before=NOW + DAY, limit=10) == 0

    with store.read() as tx:
        assert tx.event("evt_1") is not None
        assert tx.event("evt_2") is not None


def test_pruning_takes_the_oldest_first_and_no_more_than_asked(store):
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_events([an_event(id=f"evt_x{n}", received_at=NOW + n * MINUTE) for n in (3, 1, 2)])

    with store.write() as tx:
        assert tx.prune(before=NOW + DAY, limit=2) == 2

    with store.read() as tx:
        assert tx.event("evt_x3") is not None
        assert tx.event("evt_x1") is None


@pytest.mark.parametrize("number", [501, 1001])
def test_more_than_fits_one_statement_is_pruned(store, number):
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_events([an_event(id=f"evt_x{n}") for n in range(number)])

        assert tx.prune(before=NOW + DAY, limit=5000) == number
