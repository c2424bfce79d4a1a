"""What every store promises about leads, workers and its queue. See `app.core.coordination`."""

import threading
from dataclasses import replace
from datetime import timedelta

from app.core.deliveries import DeliveryState
from app.core.presence import QueueDepth, WorkerSighting
from app.core.subscriptions import SubscriptionState
from tests.builders import MINUTE, NOW, SECOND, a_delivery, a_subscription, furnish


def take(store, holder, *, now=NOW, name="schedule", lease=MINUTE):
    with store.write() as tx:
        return tx.take_lead(name, holder=holder, now=now, until=now + lease)


def sighting(name="w1", **changes):
    at = {"started_at": NOW, "seen_at": NOW, "in_flight": 3}
    return WorkerSighting(name=name, **at | changes)


def see(store, *sightings):
    with store.write() as tx:
        for one in sightings:
            tx.see_worker(one)


def seen(store, limit=10):
    with store.read() as tx:
        return tx.workers(limit=limit)


def test_the_first_who_asks_leads_and_the_second_does_not(store):
    assert [take(store, "a"), take(store, "b")] == [True, False]


def test_a_leader_renews_its_lead(store):
    take(store, "a")
    take(store, "a", now=NOW + 50 * SECOND)

    assert not take(store, "b", now=NOW + 100 * SECOND)


def test_a_lead_that_has_run_out_goes_to_who_asks_next(store):
    take(store, "a")

    assert not take(store, "b", now=NOW + MINUTE - SECOND)
    assert take(store, "b", now=NOW + MINUTE)
    assert not take(store, "a", now=NOW + MINUTE + SECOND)


def test_a_lead_made_by_a_clock_far_ahead_does_not_last(store):
    take(store, "a", now=NOW + timedelta(days=400))

    assert take(store, "b")


def test_who_resigns_is_followed_at_once(store):
    take(store, "a")
    with store.write() as tx:
        tx.resign_lead("schedule", holder="a")

    assert take(store, "b")


def test_nobody_resigns_for_another(store):
    take(store, "a")
    with store.write() as tx:
        tx.resign_lead("schedule", holder="b")

    assert not take(store, "b")


def test_leads_of_different_names_have_nothing_to_do_with_each_other(store):
    take(store, "a", name="one")

    assert take(store, "b", name="two")


def test_of_many_who_ask_at_once_one_leads(store):
    start = threading.Barrier(4)
    taken = []

    def ask(holder):
        start.wait()
        taken.append(take(store, holder))

    threads = [threading.Thread(target=ask, args=[f"h{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False, False, False, True]


def test_a_worker_is_seen_as_it_was_last(store):
    see(store, sighting(), sighting(seen_at=NOW + SECOND, in_flight=7))

    assert seen(store) == (sighting(seen_at=NOW + SECOND, in_flight=7),)


def test_workers_come_with_those_seen_last_first(store):
    see(store, sighting("old"), sighting("new", seen_at=NOW + SECOND))

    assert [one.name for one in seen(store)] == ["new", "old"]
    assert [one.name for one in seen(store, limit=1)] == ["new"]


def test_a_worker_that_stopped_is_forgotten(store):
    see(store, sighting("w1"), sighting("w2"))
    with store.write() as tx:
        tx.forget_worker("w1")
        tx.forget_worker("never was")

    assert [one.name for one in seen(store)] == ["w2"]


def test_workers_that_were_not_seen_for_long_are_forgotten(store):
    see(store, sighting("dead"), sighting("alive", seen_at=NOW + MINUTE))
    with store.write() as tx:
        forgotten = tx.forget_workers(unseen_since=NOW + MINUTE)

    assert forgotten == 1
    assert [one.name for one in seen(store)] == ["alive"]


def test_a_store_that_can_be_written_has_no_problems(store):
    assert store.problems(now=NOW) == ()
    assert store.problems(now=NOW) == ()


def test_a_store_with_tables_of_another_version_says_so(store):
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    assert [one.code for one in store.problems(now=NOW)] == ["other_version"]


def depth(store, now=NOW):
    with store.read() as tx:
        return tx.queue_depth(now=now)


def add_second(store, **changes):
    """Add another delivery, of a subscription of its own in this state."""
    with store.write() as tx:
        second = a_subscription(id="sub_2", **changes)
        tx.add_subscription(second, fingerprint="f2")
        tx.add_deliveries([a_delivery(id="dlv_2", subscription_id="sub_2")])


def test_an_empty_queue_is_not_deep(store):
    assert depth(store) == QueueDepth()


def test_deliveries_are_due_when_their_time_has_come(store):
    furnish(store, a_delivery())

    early, late = depth(store, NOW - SECOND), depth(store, NOW + SECOND)

    assert (early.due, early.waiting, early.oldest_due_at) == (0, 1, None)
    assert (late.due, late.waiting, late.oldest_due_at) == (1, 0, NOW)


def test_deliveries_under_a_lease_wait_until_it_ends(store):
    furnish(store, a_delivery())
    with store.write() as tx:
        tx.claim_due(worker="w1", now=NOW, lease_until=NOW + MINUTE, limit=10)

    assert (depth(store).due, depth(store).waiting) == (0, 1)


def test_settled_deliveries_do_not_count(store):
    furnish(store, a_delivery(state=DeliveryState.SUCCEEDED))

    assert depth(store) == QueueDepth()


def test_deliveries_behind_a_stopped_subscription_are_held_and_not_late(store):
    furnish(store)
    add_second(store, state=SubscriptionState.PAUSED)

    found = depth(store, NOW + MINUTE)

    assert (found.due, found.held, found.oldest_due_at) == (0, 1, None)


def test_deliveries_that_are_let_go_are_due(store):
    furnish(store)
    add_second(store, state=SubscriptionState.PAUSED)
    with store.write() as tx:
        paused = tx.subscription("sub_2")
        tx.save_subscription(replace(paused, state=SubscriptionState.ACTIVE), fingerprint="f2")

    found = depth(store, NOW + MINUTE)

    assert (found.due, found.held) == (1, 0)
    assert found.oldest_due_at is not None
