"""Subscriptions. See `app.core.ports.SubscriptionTx`."""

import pytest

from app.core.deliveries import DeliveryState
from app.core.errors import ConflictError
from app.core.records import SubscriptionQuery
from app.core.subscriptions import StateReason, SubscriptionState
from tests.builders import (
    ACCOUNT,
    MINUTE,
    NOW,
    SUBSCRIPTION,
    TRIGGER,
    a_delivery,
    a_payload,
    a_settlement,
    a_subscription,
    an_account,
    an_event,
    retried,
    succeeded,
)

ENDED = SubscriptionState.ENDED
PAUSED = SubscriptionState.PAUSED


@pytest.fixture(autouse=True)
def _family(store):
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_account(an_account(id="acc_2", reference="salon-2"))
        tx.add_events([an_event()])
        tx.add_payloads([a_payload()])


def add(store, *subscriptions):
    with store.write() as tx:
        for each in subscriptions:
            assert tx.add_subscription(each, fingerprint=f"of {each.id}")


def end(store, subscription_id=SUBSCRIPTION, now=NOW):
    with store.write() as tx:
        tx.end_subscription(subscription_id, reason=StateReason.UNSUBSCRIBED, now=now)


def ids_of(subscriptions):
    return [subscription.id for subscription in subscriptions]


def listed(store, **query):
    with store.read() as tx:
        page = tx.subscriptions(ACCOUNT, SubscriptionQuery(**query), limit=10, cursor=None)
    return ids_of(page.items)


def test_a_subscription_comes_back_whole(store):
    full = a_subscription(
        triggers=("new_user", "changed_user"),
        name="To the sheet",
        resource_ids=("7", "8"),
        filter={"all": [{"field": "role", "op": "eq", "value": 3}]},
        platform="zapier",
        state=PAUSED,
        state_reason=StateReason.PAUSED_BY_PERSON,
        version=4,
    )

    add(store, full)

    with store.read() as tx:
        assert tx.subscription(SUBSCRIPTION) == full


def test_an_unknown_subscription_is_none(store):
    with store.read() as tx:
        assert tx.subscription("sub_9") is None


def test_a_second_live_one_with_the_same_fingerprint_is_not_added(store):
    with store.write() as tx:
        assert tx.add_subscription(a_subscription(), fingerprint="f")
        assert not tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f")
        assert tx.add_subscription(a_subscription(id="sub_3"), fingerprint="g")

    assert listed(store) == ["sub_3", "sub_1"]


def test_two_accounts_may_have_one_fingerprint(store):
    with store.write() as tx:
        assert tx.add_subscription(a_subscription(), fingerprint="f")
        other = a_subscription(id="sub_2", account_id="acc_2")
        assert tx.add_subscription(other, fingerprint="f")


def test_the_fingerprint_of_an_ended_one_is_free_again(store):
    with store.write() as tx:
        tx.add_subscription(a_subscription(), fingerprint="f")
    end(store)

    with store.write() as tx:
        assert tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f")

    with store.read() as tx:
        assert tx.subscription_by_fingerprint(ACCOUNT, "f").id == "sub_2"


def test_a_live_one_is_found_by_its_fingerprint(store):
    add(store, a_subscription())

    with store.read() as tx:
        assert tx.subscription_by_fingerprint(ACCOUNT, "of sub_1") == a_subscription()
        assert tx.subscription_by_fingerprint("acc_2", "of sub_1") is None
        assert tx.subscription_by_fingerprint(ACCOUNT, "of nobody") is None


def test_a_saved_subscription_has_its_new_values(store):
    add(store, a_subscription())
    changed = a_subscription(
        target_url="https://hooks.example.com/2",
        secret="whsec_another",  # noqa: S106  # a made-up one
        triggers=("new_user",),
        version=2,
        updated_at=NOW + MINUTE,
    )

    with store.write() as tx:
        tx.save_subscription(changed, fingerprint="g")

    with store.read() as tx:
        assert tx.subscription(SUBSCRIPTION) == changed
        assert tx.subscription_by_fingerprint(ACCOUNT, "g") == changed
        assert tx.subscriptions_hearing(ACCOUNT, ["new_user"]) == (changed,)
        assert tx.subscriptions_hearing(ACCOUNT, [TRIGGER]) == ()


def test_saving_with_a_taken_fingerprint_is_a_conflict(store):
    add(store, a_subscription(), a_subscription(id="sub_2"))

    with pytest.raises(ConflictError), store.write() as tx:
        tx.save_subscription(a_subscription(id="sub_2"), fingerprint="of sub_1")


def test_an_ended_subscription_can_be_read_but_not_listed(store):
    add(store, a_subscription())

    end(store, now=NOW + MINUTE)

    with store.read() as tx:
        ended = tx.subscription(SUBSCRIPTION)
        assert (ended.state, ended.state_reason) == (ENDED, StateReason.UNSUBSCRIBED)
        assert (ended.version, ended.updated_at) == (2, NOW + MINUTE)
        assert tx.subscriptions_hearing(ACCOUNT, [TRIGGER]) == ()
        assert tx.count_subscriptions(ACCOUNT) == 0
    assert listed(store) == []


def test_ending_twice_changes_nothing_more(store):
    add(store, a_subscription())
    end(store, now=NOW)

    with store.write() as tx:
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.TARGET_GONE, now=NOW + MINUTE)
        tx.end_subscription("sub_9", reason=StateReason.TARGET_GONE, now=NOW)

    with store.read() as tx:
        assert tx.subscription(SUBSCRIPTION).state_reason is StateReason.UNSUBSCRIBED


def test_subscriptions_are_listed_newest_first_page_by_page(store):
    add(store, *(a_subscription(id=f"sub_{number}") for number in range(1, 6)))
    add(store, a_subscription(id="sub_9", account_id="acc_2"))

    with store.read() as tx:
        first = tx.subscriptions(ACCOUNT, SubscriptionQuery(), limit=3, cursor=None)
        second = tx.subscriptions(ACCOUNT, SubscriptionQuery(), limit=3, cursor=first.next_cursor)

    assert ids_of(first.items) == ["sub_5", "sub_4", "sub_3"]
    assert ids_of(second.items) == ["sub_2", "sub_1"]
    assert second.next_cursor is None


def test_subscriptions_are_filtered(store):
    add(
        store,
        a_subscription(),
        a_subscription(id="sub_2", triggers=("new_user", TRIGGER), state=PAUSED),
        a_subscription(id="sub_3", target_url="https://hooks.example.com/3"),
    )

    assert listed(store, trigger="new_user") == ["sub_2"]
    assert listed(store, trigger=TRIGGER) == ["sub_3", "sub_2", "sub_1"]
    assert listed(store, target_url="https://hooks.example.com/3") == ["sub_3"]
    assert listed(store, state=PAUSED) == ["sub_2"]
    assert listed(store, state=ENDED) == []
    assert listed(store, trigger="new_user", state=SubscriptionState.ACTIVE) == []


def test_those_that_hear_a_trigger_come_once_and_oldest_first(store):
    add(
        store,
        a_subscription(id="sub_3", triggers=("a", "b")),
        a_subscription(id="sub_2", triggers=("b",), state=PAUSED),
        a_subscription(id="sub_1", triggers=("c",)),
        a_subscription(id="sub_4", triggers=("a",), account_id="acc_2"),
    )

    with store.read() as tx:
        assert ids_of(tx.subscriptions_hearing(ACCOUNT, ["a", "b"])) == ["sub_2", "sub_3"]
        assert tx.subscriptions_hearing(ACCOUNT, ["d"]) == ()
        assert tx.subscriptions_hearing(ACCOUNT, []) == ()


def test_live_subscriptions_are_counted(store):
    add(store, a_subscription(), a_subscription(id="sub_2", state=PAUSED))
    add(store, a_subscription(id="sub_3"))
    end(store, "sub_3")

    with store.read() as tx:
        assert tx.count_subscriptions(ACCOUNT) == 2
        assert tx.count_subscriptions("acc_2") == 0


def test_activity_counts_what_was_sent(store):
    add(store, a_subscription(), a_subscription(id="sub_2"))
    with store.write() as tx:
        tx.add_deliveries([a_delivery(id=f"dlv_{number}") for number in range(3)])
        claims = tx.claim_due(worker="w", now=NOW, lease_until=NOW + MINUTE, limit=3)
        first, second, third = claims
        tx.settle(
            [
                a_settlement(first, succeeded(), settled_at=NOW + MINUTE),
                a_settlement(second, succeeded(), settled_at=NOW),
                a_settlement(third, retried()),
            ]
        )

    with store.read() as tx:
        activity = tx.activity([SUBSCRIPTION, "sub_2", "sub_9"])
    assert activity[SUBSCRIPTION].delivery_count == 2
    assert activity[SUBSCRIPTION].last_delivery_at == NOW + MINUTE
    assert activity["sub_2"].delivery_count == 0
    assert "sub_9" not in activity


def test_ending_cancels_what_is_pending(store):
    add(store, a_subscription(), a_subscription(id="sub_2"))
    with store.write() as tx:
        tx.add_deliveries(
            [
                a_delivery(id="dlv_1"),
                a_delivery(id="dlv_2", state=DeliveryState.SUCCEEDED),
                a_delivery(id="dlv_3", subscription_id="sub_2"),
            ]
        )

    end(store, now=NOW + MINUTE)

    with store.read() as tx:
        cancelled = tx.delivery("dlv_1")
        assert cancelled.state is DeliveryState.CANCELLED
        assert (cancelled.settled_at, cancelled.next_attempt_at) == (NOW + MINUTE, None)
        assert tx.delivery("dlv_2").state is DeliveryState.SUCCEEDED
        assert tx.delivery("dlv_3").state is DeliveryState.PENDING


def test_saving_it_as_ended_cancels_as_well(store):
    add(store, a_subscription())
    with store.write() as tx:
        tx.add_deliveries([a_delivery()])

    with store.write() as tx:
        tx.save_subscription(a_subscription(state=ENDED), fingerprint="of sub_1")

    with store.read() as tx:
        assert tx.delivery("dlv_1").state is DeliveryState.CANCELLED
        assert tx.subscriptions_hearing(ACCOUNT, [TRIGGER]) == ()
