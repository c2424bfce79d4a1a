"""How subscriptions stand. See `app.storage.standings`."""

from app.core.health import Health, Lane
from app.core.records import Standing
from app.core.subscriptions import SubscriptionState
from tests.builders import (
    MINUTE,
    NOW,
    SUBSCRIPTION,
    a_delivery,
    a_settlement,
    a_subscription,
    furnish,
    succeeded,
)

ILL = Health(failing_since=NOW, failure_count=3)


def standings(store, *ids):
    with store.read() as tx:
        return tx.standings(ids or [SUBSCRIPTION])


def claim(store, *, now=NOW, limit=10):
    with store.write() as tx:
        return tx.claim_due(worker="w", now=now, lease_until=now + MINUTE, limit=limit)


def set_lane(store, lane):
    with store.write() as tx:
        tx.set_lane(SUBSCRIPTION, lane, now=NOW)


def deliveries(count, prefix="dlv_"):
    return [a_delivery(id=f"{prefix}{number:04d}") for number in range(count)]


def test_where_all_is_well_nothing_stands_out(store):
    furnish(store)

    assert standings(store, SUBSCRIPTION, "sub_none") == {SUBSCRIPTION: Standing()}


def test_each_has_its_own(store):
    furnish(store, *deliveries(2))
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="other")
        tx.add_deliveries([a_delivery(id="dlv_other", subscription_id="sub_2")])
        tx.save_health("sub_2", ILL)

    assert standings(store, SUBSCRIPTION, "sub_2") == {
        SUBSCRIPTION: Standing(waiting=2),
        "sub_2": Standing(health=ILL, waiting=1),
    }


def test_what_is_in_the_lane_and_in_the_open_waits_and_what_is_settled_does_not(store):
    furnish(store, *deliveries(3))
    first, *_others = claim(store, limit=2)
    with store.write() as tx:
        tx.settle([a_settlement(first, succeeded())])
    set_lane(store, Lane(not_before=NOW + MINUTE))
    with store.write() as tx:
        tx.add_deliveries(deliveries(4, "dlv_new"))

    assert standings(store)[SUBSCRIPTION] == Standing(held_until=NOW + MINUTE, waiting=6)


def test_counting_stops_at_the_bound(store):
    furnish(store, *deliveries(600))
    set_lane(store, Lane(not_before=NOW + MINUTE))
    with store.write() as tx:
        tx.add_deliveries(deliveries(600, "dlv_new"))

    assert standings(store)[SUBSCRIPTION].waiting == 1_000


def test_a_probe_under_way_holds_back_until_its_lease_ends(store):
    furnish(store, *deliveries(2))
    set_lane(store, Lane(not_before=NOW, trickle=True))
    claim(store)
    assert len(claim(store)) == 1

    assert standings(store)[SUBSCRIPTION].held_until == NOW + MINUTE


def test_a_probe_for_which_nothing_waits_has_its_time_too(store):
    furnish(store)

    set_lane(store, Lane(not_before=NOW + MINUTE, trickle=True))

    assert standings(store)[SUBSCRIPTION].held_until == NOW + MINUTE


def test_what_is_paused_is_held_until_further_notice(store):
    furnish(store, *deliveries(1))
    set_lane(store, Lane(not_before=NOW + MINUTE))
    with store.write() as tx:
        tx.save_subscription(a_subscription(state=SubscriptionState.PAUSED), fingerprint="f1")

    assert standings(store)[SUBSCRIPTION] == Standing(waiting=1)
