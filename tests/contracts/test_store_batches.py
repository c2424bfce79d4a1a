"""Deliveries that go together: the same members, the same bytes, whatever happens."""

from dataclasses import replace

import pytest

from app.core.batching import Batching
from app.core.deliveries import DeliveryState
from app.core.subscriptions import SubscriptionState
from tests.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    a_delivery,
    a_payload,
    a_settlement,
    a_subscription,
    an_account,
    an_event,
    retried,
    succeeded,
)

THREE = Batching(max_events=3, max_age_seconds=60)
PENDING, SUCCEEDED = DeliveryState.PENDING, DeliveryState.SUCCEEDED


@pytest.fixture
def filled(store):
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_subscription(a_subscription(batching=THREE), fingerprint="f1")
    return store


def add(store, *numbers, at=NOW):
    with store.write() as tx:
        tx.add_events([an_event(id=f"evt_{one}", received_at=at) for one in numbers])
        tx.add_payloads(
            [a_payload(id=f"pay_{n}", event_id=f"evt_{n}", body=b"%d" % n) for n in numbers]
        )
        tx.add_deliveries(
            [
                a_delivery(
                    id=f"dlv_{n}",
                    event_id=f"evt_{n}",
                    payload_id=f"pay_{n}",
                    created_at=at,
                    next_attempt_at=at,
                )
                for n in numbers
            ]
        )


def claim(store, *, now=NOW, worker="w1", limit=100):
    with store.write() as tx:
        return tx.claim_due(worker=worker, now=now, lease_until=now + MINUTE, limit=limit)


def settle(store, claimed, verdict, *, now=NOW):
    with store.write() as tx:
        return tx.settle([a_settlement(one, verdict, settled_at=now) for one in claimed.members])


def save(store, **changes):
    with store.write() as tx:
        tx.save_subscription(a_subscription(**changes), fingerprint="f1")


def numbers_of(claimed):
    return [[int(one.delivery.id[4:]) for one in each.members] for each in claimed]


def next_due_at(store):
    with store.read() as tx:
        return tx.next_due_at()


def state(store, number):
    with store.read() as tx:
        return tx.delivery(f"dlv_{number}").state


def test_enough_deliveries_go_together_at_once(filled):
    add(filled, 1, 2, 3, 4)

    [claimed] = claim(filled)

    assert numbers_of([claimed]) == [[1, 2, 3]]
    assert claimed.body == b"[1,2,3]"
    assert claimed.message_id.startswith("bat_")


def test_too_few_wait_until_the_first_is_old(filled):
    add(filled, 1)
    add(filled, 2, at=NOW + 10 * SECOND)

    early = claim(filled, now=NOW + 59 * SECOND)
    due = next_due_at(filled)
    late = claim(filled, now=NOW + MINUTE)

    assert (early, due) == ((), NOW + MINUTE)
    assert numbers_of(late) == [[1, 2]]


def test_a_full_house_goes_in_several_requests_and_the_rest_waits(filled):
    add(filled, *range(10, 20))

    claimed = claim(filled)
    again = claim(filled)

    assert numbers_of(claimed) == [[10, 11, 12], [13, 14, 15], [16, 17, 18]]
    assert again == ()
    assert next_due_at(filled) == NOW + MINUTE


def test_a_batch_is_one_to_the_limit_of_a_claim(filled):
    add(filled, 1, 2, 3)

    assert numbers_of(claim(filled, limit=1)) == [[1, 2, 3]]


def test_a_retry_is_the_same_members_in_the_same_bytes_whatever_came_meanwhile(filled):
    add(filled, 1, 2, 3)
    [first] = claim(filled)
    settle(filled, first, retried())
    add(filled, 4, 5, 6)

    [fresh] = claim(filled)
    [second] = claim(filled, now=NOW + MINUTE)

    assert numbers_of([fresh, second]) == [[4, 5, 6], [1, 2, 3]]
    assert (second.body, second.message_id) == (first.body, first.message_id)


def test_what_a_dead_worker_had_goes_again_as_the_same_batch(filled):
    add(filled, 1, 2, 3)
    [first] = claim(filled, worker="dead")
    add(filled, 4)
    later = NOW + MINUTE

    claim(filled, now=later)  # it moves what is in the open into the lane
    [second] = claim(filled, now=later)

    assert (second.body, second.message_id) == (first.body, first.message_id)
    assert [one.lease.fence for one in second.members] == [2, 2, 2]
    assert second.losses == 1


def test_a_batch_that_was_given_back_stays_one(filled):
    add(filled, 1, 2, 3)
    [first] = claim(filled)
    with filled.write() as tx:
        tx.release([one.lease for one in first.members])
    add(filled, 4)

    [second] = claim(filled)

    assert (second.body, second.message_id) == (first.body, first.message_id)


def test_members_settle_under_their_own_fences(filled):
    add(filled, 1, 2, 3)
    [claimed] = claim(filled)
    first, *others = claimed.members
    stale = replace(first, lease=replace(first.lease, fence=0))

    with filled.write() as tx:
        lost = tx.settle([a_settlement(one, succeeded()) for one in (stale, *others)])

    assert lost == ("dlv_1",)
    assert [state(filled, n) for n in (1, 2, 3)] == [DeliveryState.SENDING, SUCCEEDED, SUCCEEDED]


def test_a_member_that_is_left_goes_again_in_the_bytes_of_all(filled):
    add(filled, 1, 2, 3)
    [claimed] = claim(filled)
    with filled.write() as tx:
        tx.settle([a_settlement(one, succeeded()) for one in claimed.others])

    claim(filled, now=NOW + MINUTE)
    [second] = claim(filled, now=NOW + MINUTE)

    assert numbers_of([second]) == [[1]]
    assert second.body == b"[1,2,3]"


def test_one_that_is_wanted_again_goes_in_a_batch_of_its_own(filled):
    add(filled, 1, 2, 3)
    [first] = claim(filled)
    settle(filled, first, succeeded())
    with filled.write() as tx:
        assert tx.requeue("dlv_2", now=NOW + SECOND)
    add(filled, 4)

    [again] = claim(filled, now=NOW + SECOND)

    assert again.body == b"[2]"
    assert again.message_id not in (first.message_id, "dlv_2")
    with filled.read() as tx:  # what was sent then can still be read
        assert tx.batch_bodies([first.message_id]) == {first.message_id: b"[1,2,3]"}


def test_one_that_was_sent_by_itself_is_never_put_into_a_batch(store):
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_subscription(a_subscription(), fingerprint="f1")
    add(store, 1)
    [plain] = claim(store)
    settle(store, plain, retried(next_attempt_at=NOW))
    save(store, batching=THREE, updated_at=NOW)
    add(store, 2, 3)
    claim(store)

    found = claim(store, now=NOW + MINUTE)
    bodies = {one.body for one in (*found, *claim(store, now=NOW + MINUTE))}

    assert plain.body in bodies
    assert b"[2,3]" in bodies


def test_a_batch_stays_one_after_batching_ends(filled):
    add(filled, 1, 2, 3)
    [first] = claim(filled)
    save(filled, batching=None, updated_at=NOW)
    settle(filled, first, retried(next_attempt_at=NOW))
    add(filled, 4)

    found = [*claim(filled), *claim(filled), *claim(filled)]

    assert sorted(one.body for one in found) == [b"4", b"[1,2,3]"]


def test_when_batching_ends_what_was_gathered_goes_at_once(filled):
    add(filled, 1, 2)
    assert claim(filled) == ()

    save(filled, batching=None, updated_at=NOW)

    assert sorted(one.body for one in claim(filled)) == [b"1", b"2"]


def test_a_batch_is_bounded_in_bytes(filled, monkeypatch):
    monkeypatch.setattr("app.core.batching.MAX_BODY_BYTES", 5)
    add(filled, 11, 12, 13)

    bodies = []
    for _request in range(3):
        [claimed] = claim(filled, now=NOW + MINUTE)
        settle(filled, claimed, succeeded())
        bodies.append(claimed.body)

    assert bodies == [b"[11]", b"[12]", b"[13]"]


def test_a_paused_subscription_gathers_until_it_is_resumed(filled):
    add(filled, 1, 2, 3)
    save(filled, batching=THREE, state=SubscriptionState.PAUSED, updated_at=NOW)
    assert claim(filled) == ()

    save(filled, batching=THREE, updated_at=NOW + SECOND)

    assert numbers_of(claim(filled, now=NOW + SECOND)) == [[1, 2, 3]]


def test_a_batch_is_forgotten_with_its_members(filled):
    add(filled, 1, 2, 3)
    [first] = claim(filled)
    with filled.read() as tx:
        before = tx.batch_bodies([first.message_id])

    settle(filled, first, succeeded())
    with filled.write() as tx:
        tx.prune(before=NOW + DAY, limit=10)

    with filled.read() as tx:
        assert (len(before), tx.batch_bodies([first.message_id])) == (1, {})
