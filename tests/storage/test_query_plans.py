"""Cost follows what is asked for, not what is kept. Plans and instructions, not time."""

import pytest

from app.core.deliveries import DeliveryState
from app.core.health import Lane
from app.core.records import DeliveryQuery, EventQuery, SubscriptionQuery
from app.core.subscriptions import StateReason, SubscriptionState
from tests.builders import (
    ACCOUNT,
    DAY,
    DELIVERY,
    EVENT,
    MINUTE,
    NOW,
    PAYLOAD,
    SUBSCRIPTION,
    TRIGGER,
    a_delivery,
    a_payload,
    a_settlement,
    a_subscription,
    an_account,
    an_event,
    furnish,
    retried,
)
from tests.contracts.stores import memory_store
from tests.storage.statements import counted_work, plans


@pytest.fixture
def store(tmp_path):
    opened = memory_store(tmp_path)
    furnish(opened, a_delivery())
    yield opened
    opened.close()


def claim(tx, limit=10, now=NOW):
    return tx.claim_due(worker="w", now=now, lease_until=now + MINUTE, limit=limit)


# The values that we sent; an index that holds nothing but what is asked for; what a bounded
# sub-query found.
_SMALL = ("json_each", "ix_subscriptions_suspended", "some_waiting")


def scans(plan):
    """Return the lines of a plan that read something whole, but for what is small."""
    return [
        line
        for line in plan.splitlines()
        if "SCAN" in line and not any(small in line for small in _SMALL)
    ]


def add_behind(store, subscription, count, **changes):
    """Add another subscription with deliveries that stand in front of the default's."""
    early = {} if "state" in changes else {"next_attempt_at": NOW - DAY}
    with store.write() as tx:
        tx.add_subscription(subscription, fingerprint=f"of {subscription.id}")
        tx.add_deliveries(
            [
                a_delivery(id=f"dlv_x{number}", subscription_id=subscription.id, **early, **changes)
                for number in range(count)
            ]
        )


def work_of_a_claim(store):
    with counted_work(store) as count, store.write() as tx:
        assert [claimed.delivery.id for claimed in claim(tx)] == [DELIVERY]
    return count[0]


def test_a_claim_walks_the_index_of_what_is_due(store):
    lanes, due, *_others = plans(store, claim)

    assert "lanes USING INDEX ix_lanes_next (next_at<?)" in lanes
    assert "deliveries USING INDEX ix_deliveries_due (due_at<?)" in due
    for plan in (lanes, due):
        assert scans(plan) == []
        assert "TEMP B-TREE" not in plan


def test_a_look_into_a_lane_walks_its_index(store):
    with store.write() as tx:
        tx.set_lane(SUBSCRIPTION, Lane(not_before=NOW + MINUTE), now=NOW)
        assert claim(tx) == ()  # what was in the open is in the lane now

    asked = plans(store, lambda tx: claim(tx, now=NOW + DAY))

    in_lane = [plan for plan in asked if "ix_deliveries_lane" in plan]
    wanted = "deliveries USING INDEX ix_deliveries_lane (subscription_id=? AND lane_at<?)"
    assert wanted in in_lane[0]
    assert all(scans(plan) == [] and "TEMP B-TREE" not in plan for plan in in_lane)


def test_ten_thousand_paused_deliveries_in_front_cost_a_claim_nothing(store):
    add_behind(store, a_subscription(id="sub_2", state=SubscriptionState.PAUSED), 10_000)

    assert work_of_a_claim(store) <= 1


def test_ten_thousand_deliveries_paused_later_cost_a_claim_nothing(store):
    add_behind(store, a_subscription(id="sub_2"), 10_000)
    with store.write() as tx:
        suspended = a_subscription(id="sub_2", state=SubscriptionState.SUSPENDED)
        tx.save_subscription(suspended, fingerprint="of sub_2")

    with store.write() as tx:
        assert claim(tx) == ()  # it moves them into their lane, once

    assert work_of_a_claim(store) <= 1


def test_ten_thousand_settled_deliveries_cost_a_claim_nothing(store):
    add_behind(store, a_subscription(id="sub_2"), 10_000, state=DeliveryState.SUCCEEDED)

    assert work_of_a_claim(store) <= 1


def test_a_claim_holds_what_was_added_while_somebody_paused(store):
    """With many writers, neither sees the other; the next claim puts it right."""
    with store.write() as tx:
        paused = a_subscription(state=SubscriptionState.PAUSED)
        tx.save_subscription(paused, fingerprint="f1")
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET due_at = created_at")

    with store.write() as tx:
        assert claim(tx) == ()

    with store.read() as tx:
        assert tx.next_due_at() is None


def test_the_counter_sees_ten_thousand_rows(store):
    """Without it, the facts above would say nothing."""
    add_behind(store, a_subscription(id="sub_2", state=SubscriptionState.PAUSED), 10_000)

    with counted_work(store) as count, store.read() as tx:
        query = DeliveryQuery(trigger="nobody")
        tx.deliveries(ACCOUNT, query, limit=1, cursor=None)

    assert count[0] > 10


QUESTIONS = {
    "next due": lambda tx: tx.next_due_at(),
    "hearing": lambda tx: tx.subscriptions_hearing(ACCOUNT, [TRIGGER, "new_user"]),
    "fingerprint": lambda tx: tx.subscription_by_fingerprint(ACCOUNT, "f1"),
    "live count": lambda tx: tx.count_subscriptions(ACCOUNT),
    "subscriptions": lambda tx: tx.subscriptions(
        ACCOUNT, SubscriptionQuery(state=SubscriptionState.PAUSED), limit=5, cursor=None
    ),
    "activity": lambda tx: tx.activity([SUBSCRIPTION]),
    "standings": lambda tx: tx.standings([SUBSCRIPTION, "sub_2"]),
    "keys": lambda tx: tx.keys_by_prefix("rk_abcdefgh"),
    "account's keys": lambda tx: tx.keys(ACCOUNT),
    "reference": lambda tx: tx.account_by_reference("salon-1"),
    "resources": lambda tx: tx.resources(ACCOUNT, "schedule", search="a", limit=5, offset=0),
    "event": lambda tx: tx.event(EVENT),
    "events": lambda tx: tx.events(ACCOUNT, EventQuery(), limit=5, cursor=None),
    "events since": lambda tx: tx.events(
        ACCOUNT,
        EventQuery(types=frozenset({"a.b", "c.d"}), since=NOW, only_open=True),
        limit=5,
        cursor=None,
    ),
    "payload": lambda tx: tx.payload(PAYLOAD),
    "idempotency": lambda tx: tx.idempotency_record(ACCOUNT, "order-1"),
    "deliveries": lambda tx: tx.deliveries(
        ACCOUNT, DeliveryQuery(since=NOW, until=NOW), limit=5, cursor=None
    ),
    "subscription's deliveries": lambda tx: tx.deliveries(
        ACCOUNT, DeliveryQuery(subscription_id=SUBSCRIPTION, since=NOW), limit=5, cursor=None
    ),
    "attempts": lambda tx: tx.attempts(DELIVERY),
    "settle": lambda tx: tx.settle([a_settlement(claim(tx)[0], retried())]),
    "requeue": lambda tx: tx.requeue(DELIVERY, now=NOW),
    "pause": lambda tx: tx.save_subscription(
        a_subscription(state=SubscriptionState.PAUSED), fingerprint="f1"
    ),
    "end": lambda tx: tx.end_subscription(SUBSCRIPTION, reason=StateReason.UNSUBSCRIBED, now=NOW),
    "off": lambda tx: tx.subscriptions_off({"make"}, limit=5),
    "health": lambda tx: tx.healths([SUBSCRIPTION]),
    "prune": lambda tx: tx.prune(before=NOW + DAY, limit=5),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_whole_table(store, question):
    asked = plans(store, QUESTIONS[question])

    assert asked
    for plan in asked:
        assert scans(plan) == []


@pytest.mark.parametrize("question", ["events", "events since", "deliveries", "subscriptions"])
def test_no_list_is_sorted_whole(store, question):
    for plan in plans(store, QUESTIONS[question]):
        assert "TEMP B-TREE" not in plan


def test_renaming_a_subscription_does_not_read_its_deliveries(store):
    add_behind(store, a_subscription(id="sub_2"), 10_000)

    with counted_work(store) as count, store.write() as tx:
        tx.save_subscription(a_subscription(id="sub_2", name="New"), fingerprint="of sub_2")

    assert count[0] <= 1


def test_renaming_an_account_does_not_read_its_deliveries(store):
    add_behind(store, a_subscription(id="sub_2"), 10_000)

    with counted_work(store) as count, store.write() as tx:
        tx.save_account(an_account(name="New"))

    assert count[0] <= 1


def test_pruning_an_event_does_not_read_the_deliveries_of_others(store):
    with store.write() as tx:
        tx.add_events([an_event(id="evt_0", received_at=NOW - DAY)])
        tx.add_payloads([a_payload(id="pay_0", event_id="evt_0")])
        settled = DeliveryState.SUCCEEDED
        tx.add_deliveries(
            [a_delivery(id="dlv_0", event_id="evt_0", payload_id="pay_0", state=settled)]
        )
    add_behind(store, a_subscription(id="sub_2"), 10_000, state=DeliveryState.SUCCEEDED)

    with counted_work(store) as count, store.write() as tx:
        assert tx.prune(before=NOW, limit=10) == 1

    assert count[0] <= 1


def test_a_subscriptions_log_by_date_is_a_range_of_its_index(store):
    (plan,) = plans(store, QUESTIONS["subscription's deliveries"])

    assert "ix_deliveries_subscription (subscription_id=? AND created_at>?)" in plan


def test_what_waits_is_counted_from_the_indexes_of_what_waits(store):
    plan = "\n".join(plans(store, QUESTIONS["standings"]))

    assert "COVERING INDEX ix_deliveries_open (subscription_id=? AND due_at>?)" in plan
    assert "COVERING INDEX ix_deliveries_lane (subscription_id=? AND lane_at>?)" in plan


def test_ending_touches_only_unsettled_deliveries(store):
    asked = plans(store, QUESTIONS["end"])

    in_the_open, in_its_lane = [plan for plan in asked if "deliveries" in plan]
    assert "ix_deliveries_open (subscription_id=? AND due_at>?)" in in_the_open
    assert "ix_deliveries_lane (subscription_id=? AND lane_at>?)" in in_its_lane
