"""What goes together, and when."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.batching import (
    MAX_BODY_BYTES,
    Batching,
    Parcel,
    Waiting,
    array_of,
    how_many_fit,
    pack,
)
from tests.builders import NOW, SECOND

THREE = Batching(max_events=3, max_age_seconds=60)


def fresh(number, age=0):
    return Waiting(f"dlv_{number}", NOW - age * SECOND, None, was_claimed=False)


def packed(*waiting, batching=THREE, whatever_is_there=False):
    return pack(waiting, batching, now=NOW, whatever_is_there=whatever_is_there)


def test_what_is_left_over_says_when_it_can_go():
    found = packed(fresh(1, age=50), fresh(2), fresh(3), fresh(4, age=20))

    assert found.parcels == (Parcel(delivery_ids=("dlv_1", "dlv_2", "dlv_3")),)
    assert found.rest_at == NOW + 40 * SECOND


def test_a_probe_takes_whatever_is_there():
    assert packed(fresh(1), whatever_is_there=True).parcels == (Parcel(delivery_ids=("dlv_1",)),)


def test_the_members_of_a_batch_are_one_parcel():
    members = [Waiting(f"dlv_{n}", NOW, "bat_1", was_claimed=True) for n in (1, 2)]

    assert packed(*members).parcels == (Parcel(batch_id="bat_1"),)


def test_what_was_sent_plainly_goes_plainly_again():
    sent = Waiting("dlv_1", NOW, None, was_claimed=True)

    assert packed(sent).parcels == (Parcel(delivery_ids=("dlv_1",), is_array=False),)
    assert packed(fresh(1), batching=None).parcels == packed(sent).parcels


def test_one_that_goes_alone_is_an_array_of_one():
    alone = Waiting("dlv_1", NOW, "dlv_1", was_claimed=True)

    assert packed(alone, fresh(2), fresh(3)).parcels == (Parcel(delivery_ids=("dlv_1",)),)


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), max_size=250), st.integers(2, 100))
def test_every_fresh_one_goes_once_or_waits(ages, most):
    waiting = [fresh(number, age) for number, age in enumerate(sorted(ages, reverse=True))]

    found = packed(*waiting, batching=Batching(max_events=most, max_age_seconds=60))

    gone = [one for parcel in found.parcels for one in parcel.delivery_ids]
    left = [one.id for one in waiting][len(gone) :]
    assert gone + left == [one.id for one in waiting]
    assert len(left) < most
    assert (found.rest_at is None) == (not left)
    assert all(len(parcel.delivery_ids) <= most for parcel in found.parcels)


@settings(deadline=None)
@given(st.lists(st.integers(2, 600_000), min_size=1, max_size=100))
def test_a_body_is_as_long_as_fits_and_never_empty(sizes):
    count = how_many_fit(sizes)
    body = array_of([b"x" * size for size in sizes[:count]])

    assert count >= 1
    assert count == 1 or len(body) <= MAX_BODY_BYTES
    if count < len(sizes):
        assert len(body) + 1 + sizes[count] > MAX_BODY_BYTES
