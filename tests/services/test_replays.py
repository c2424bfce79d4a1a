"""Replays: what failed again, what was missed at last; and never twice."""

from datetime import timedelta

import pytest

from app.core.deliveries import DeliveryState
from app.core.errors import ConflictError, InvalidRequestError, NotFoundError
from app.core.records import DeliveryQuery
from app.core.replays import Place, ReplayKind, ReplayState
from app.services import replay_pump
from app.services.accounts import AccountChange, create_account
from app.services.replay_pump import pump_replays
from app.services.replays import (
    ReplayWish,
    cancel_replay,
    count_replay,
    find_replay,
    list_missed,
    list_replays,
    start_replay,
)
from app.services.subscribe import Change, change_subscription, pause, resume, unsubscribe
from tests.contexts import a_context
from tests.contracts.stores import STORES, drop
from tests.fakes import START
from tests.services.sending import send_all
from tests.services.steps import (
    an_event_to,
    deliveries_of,
    published,
    published_together,
    subscribed,
    with_account,
)

FAILED, MISSED, ALL = ReplayKind
SECOND = timedelta(seconds=1)
BEFORE = START - SECOND


@pytest.fixture(params=STORES)
def context(request, tmp_path):
    store = STORES[request.param](tmp_path)
    yield a_context(store=store)
    drop(store)


@pytest.fixture
def account(context):
    return with_account(context)


@pytest.fixture
def subscription(context, account):
    return subscribed(context, account.id, "changed_appointment", manner={"retry_policy": "once"})


def publish(context, *numbers):
    for number in numbers:
        context.clock.advance()
        published(context, data={"id": number})
    context.clock.advance()


def start(context, subscription, only, **wish):
    asked = ReplayWish(**{"since": BEFORE, "only": only} | wish)
    return start_replay(context, subscription.account_id, subscription.id, asked)


def run(context, subscription, only, **wish):
    return run_on(context, start(context, subscription, only, **wish))


def run_on(context, started):
    for _second in range(60):
        pump_replays(context)
        context.clock.advance()
        send_all(context)
    return find_replay(context, started.account_id, started.id)


def count(context, subscription, only):
    asked = ReplayWish(since=BEFORE, only=only)
    return count_replay(context, subscription.account_id, subscription.id, asked).found


def delivered(context, subscription):
    found = deliveries_of(context, subscription.account_id)
    return sorted(payload["appointment_id"] for _, payload in found)


def attempts(context, subscription):
    with context.store.read() as tx:
        page = tx.deliveries(subscription.account_id, DeliveryQuery(), limit=100, cursor=None)
        return [len(tx.attempts(one.id)) for one in reversed(page.items)]


def states(context, subscription):
    with context.store.read() as tx:
        page = tx.deliveries(subscription.account_id, DeliveryQuery(), limit=100, cursor=None)
    return {one.state for one in page.items}


def test_failed_sends_what_failed_again_and_nothing_else(context, subscription):
    publish(context, 1)
    send_all(context)
    publish(context, 2, 3)
    send_all(context, status_code=500)
    assert count(context, subscription, FAILED) == 2

    done = run(context, subscription, FAILED)

    assert (done.state, done.found, done.sent, done.percent) == (ReplayState.DONE, 2, 2, 100)
    assert attempts(context, subscription) == [1, 2, 2]
    assert states(context, subscription) == {DeliveryState.SUCCEEDED}


def test_missed_sends_what_came_while_it_was_paused(context, subscription):
    publish(context, 1)
    pause(context, subscription.account_id, subscription.id)
    publish(context, 2, 3)
    resume(context, subscription.account_id, subscription.id)
    publish(context, 4)
    assert count(context, subscription, MISSED) == 2

    done = run(context, subscription, MISSED)

    assert (done.sent, done.state) == (2, ReplayState.DONE)
    assert delivered(context, subscription) == [1, 2, 3, 4]
    assert count(context, subscription, MISSED) == 0


def test_missed_is_what_fits_the_subscription_as_it_is_now(context, account):
    publish(context, 1)
    late = subscribed(context, account.id, "changed_appointment", filters={"event": ["create"]})
    context.clock.advance()

    assert count(context, late, MISSED) == 1
    change = Change(filters=({"event": ["destroy"]},))
    change_subscription(context, account.id, late.id, change)
    assert count(context, late, MISSED) == 0


def test_the_missed_payloads_are_the_bytes_that_the_fan_out_makes(context, subscription):
    publish(context, 1)
    [(_, original)] = deliveries_of(context, subscription.account_id)
    other = subscribed(
        context, subscription.account_id, "changed_appointment", url="https://b.example/"
    )
    context.clock.advance()

    run(context, other, MISSED)

    assert [payload for _, payload in deliveries_of(context, subscription.account_id)] == [
        original
    ] * 2


def test_all_sends_everything_once_more(context, subscription):
    publish(context, 1, 2)
    send_all(context)
    pause(context, subscription.account_id, subscription.id)
    publish(context, 3)
    resume(context, subscription.account_id, subscription.id)

    done = run(context, subscription, ALL)

    assert done.sent == 3
    assert attempts(context, subscription) == [2, 2, 1]


def test_the_range_is_kept_to(context, subscription):
    pause(context, subscription.account_id, subscription.id)
    publish(context, 1, 2, 3, 4)
    resume(context, subscription.account_id, subscription.id)

    run(context, subscription, MISSED, since=START + 2 * SECOND, until=START + 4 * SECOND)

    assert delivered(context, subscription) == [2, 3]


def test_what_collapsed_was_not_missed(context):
    account = with_account(context, "erp-1")
    frappe = subscribed(context, account.id, "on_update", resource_ids=("Sales Order",))
    pause(context, account.id, frappe.id)
    context.clock.advance()
    data = {"doctype": "Sales Order", "name": "SO-1"}
    events = [
        an_event_to("erp-1", "document.on_update", data | {"total": total}, transaction="t1")
        for total in (1, 2)
    ]
    published_together(context, *events)
    context.clock.advance()

    asked = ReplayWish(since=BEFORE, only=MISSED)
    page = list_missed(context, account.id, frappe.id, asked, limit=10, cursor=None)

    assert len(page.items) == 1
    assert page.items[0].event.data["total"] == 2


def test_it_goes_at_the_subscriptions_pace(context, account):
    slow = subscribed(context, account.id, "changed_appointment", manner={"per_second": 2})
    pause(context, account.id, slow.id)
    publish(context, *range(9))
    resume(context, account.id, slow.id)
    start(context, slow, MISSED)

    sent = []
    for _second in range(5):
        sent.append(pump_replays(context))
        send_all(context)
        context.clock.advance()

    assert sent == [2, 2, 2, 2, 1]


def test_it_waits_while_as_much_is_waiting_already(context, account):
    slow = subscribed(context, account.id, "changed_appointment", manner={"per_second": 1})
    pause(context, account.id, slow.id)
    publish(context, *range(5))
    resume(context, account.id, slow.id)
    publish(context, 5, 6)
    start(context, slow, MISSED)

    assert pump_replays(context) == 0
    send_all(context)
    context.clock.advance()
    assert pump_replays(context) >= 1


def test_a_crash_in_the_middle_neither_skips_nor_repeats(context, subscription, monkeypatch):
    pause(context, subscription.account_id, subscription.id)
    publish(context, *range(25))
    resume(context, subscription.account_id, subscription.id)
    started = start(context, subscription, MISSED)
    pump_replays(context)
    send_all(context)
    context.clock.advance()

    def crash(*_args, **_options):
        raise RuntimeError("the process dies before the commit")

    with monkeypatch.context() as dying:
        dying.setattr(type(started), "next_after", crash)
        with pytest.raises(RuntimeError):
            pump_replays(context)
    while find_replay(context, subscription.account_id, started.id).next_at:
        pump_replays(context)
        send_all(context)
        context.clock.advance()

    assert delivered(context, subscription) == list(range(25))


@pytest.mark.parametrize("only", [ALL, FAILED])
def test_a_replay_in_many_steps_sends_each_again_once(context, subscription, only):
    publish(context, *range(25))
    send_all(context, status_code=500 if only is FAILED else 200)
    started = start(context, subscription, only)

    done = run_on(context, started)

    assert done.sent == 25
    assert attempts(context, subscription) == [2] * 25


def test_only_one_runs_at_a_time(context, subscription):
    publish(context, 1)
    first = start(context, subscription, ALL)
    with pytest.raises(ConflictError):
        start(context, subscription, ALL)

    cancel_replay(context, subscription.account_id, first.id)

    assert start(context, subscription, ALL).id != first.id
    page = list_replays(context, subscription.account_id, subscription.id, limit=1, cursor=None)
    rest = list_replays(
        context, subscription.account_id, subscription.id, limit=1, cursor=page.next_cursor
    )
    assert [one.id for one in rest.items] == [first.id]


def test_a_cancelled_one_sends_nothing_more(context, subscription):
    publish(context, 1)
    send_all(context)
    started = start(context, subscription, ALL)

    cancel_replay(context, subscription.account_id, started.id)
    cancelled = find_replay(context, subscription.account_id, started.id)

    assert cancelled.state is ReplayState.CANCELLED
    assert pump_replays(context) == 0
    context.clock.advance()
    cancel_replay(context, subscription.account_id, started.id)
    assert find_replay(context, subscription.account_id, started.id) == cancelled


def test_it_waits_while_its_subscription_is_paused_and_ends_with_it(context, subscription):
    publish(context, 1)
    send_all(context)
    started = start(context, subscription, ALL)
    pause(context, subscription.account_id, subscription.id)

    assert pump_replays(context) == 0
    context.clock.advance(timedelta(seconds=10))
    unsubscribe(context, subscription.account_id, subscription.id)
    pump_replays(context)

    found = find_replay(context, subscription.account_id, started.id)
    assert found.state is ReplayState.CANCELLED


def test_a_paused_subscription_cannot_be_replayed_but_asked(context, subscription):
    pause(context, subscription.account_id, subscription.id)
    publish(context, 1)

    assert count(context, subscription, MISSED) == 1
    with pytest.raises(ConflictError):
        start(context, subscription, MISSED)


def test_the_missed_are_listed_page_by_page_oldest_first(context, subscription):
    pause(context, subscription.account_id, subscription.id)
    publish(context, 1, 2, 3)
    asked = ReplayWish(since=BEFORE)

    def page(cursor):
        return list_missed(
            context, subscription.account_id, subscription.id, asked, limit=2, cursor=cursor
        )

    first = page(None)
    second = page(first.next_cursor)

    assert [one.payload["appointment_id"] for one in first.items] == [1, 2]
    assert [one.payload["appointment_id"] for one in second.items] == [3]
    assert second.next_cursor is None


def test_a_replay_looks_at_many_events_in_many_transactions(context, subscription, monkeypatch):
    monkeypatch.setattr(replay_pump, "_MOST_LOOKED_AT", 2)
    publish(context, *range(7))
    send_all(context)
    pause(context, subscription.account_id, subscription.id)
    publish(context, 7)
    resume(context, subscription.account_id, subscription.id)

    done = run(context, subscription, MISSED)

    assert (done.sent, done.state) == (1, ReplayState.DONE)


@pytest.mark.parametrize("since", [START + timedelta(days=1), START])
def test_an_empty_range_is_refused(context, subscription, since):
    with pytest.raises(InvalidRequestError):
        start(context, subscription, ALL, since=since, until=START)


def test_nobody_elses_replay_can_be_read(context, subscription):
    publish(context, 1)
    started = start(context, subscription, ALL)
    other = create_account(context, "salon-2", AccountChange())

    with pytest.raises(NotFoundError):
        find_replay(context, other.id, started.id)
    cancel_replay(context, other.id, started.id)
    assert find_replay(context, subscription.account_id, started.id) == started


@pytest.mark.parametrize("text", ["", "x", "12", "999999999999999999.evt_1", "1.e vt"])
def test_what_is_no_place_is_none(text):
    assert Place.from_text(text) is None


def test_a_place_comes_back_from_its_text():
    place = Place(START + timedelta(microseconds=7), "evt_1")

    assert Place.from_text(place.to_text()) == place
