"""Events, payloads and idempotency records. See `app.core.ports.EventTx`."""

import pytest

from app.core import jsontext
from app.core.errors import ConflictError
from app.core.events import Actor, Disposition
from app.core.records import EventQuery
from tests.builders import (
    ACCOUNT,
    DAY,
    EVENT,
    MINUTE,
    NOW,
    PAYLOAD,
    a_payload,
    an_account,
    an_event,
    an_idempotency_record,
)


@pytest.fixture(autouse=True)
def _accounts(store):
    with store.write() as tx:
        tx.add_account(an_account())
        tx.add_account(an_account(id="acc_2", reference="salon-2"))


def add(store, *events):
    with store.write() as tx:
        tx.add_events(events)


def numbered(count, **changes):
    return [
        an_event(id=f"evt_{number}", received_at=NOW + number * MINUTE, **changes)
        for number in range(1, count + 1)
    ]


def listed(store, *, limit=10, cursor=None, **query):
    with store.read() as tx:
        page = tx.events(ACCOUNT, EventQuery(**query), limit=limit, cursor=cursor)
    return [event.id for event in page.items], page.next_cursor


def test_an_event_comes_back_whole(store):
    full = an_event(
        type="appointment.change",
        published_type="form.create",
        occurred_at=NOW - DAY,
        origin="api",
        notify=True,
        record_id="12",
        transaction="tx-1",
        disposition=Disposition.SILENT,
    )

    add(store, full)

    with store.read() as tx:
        assert tx.event(EVENT) == full


def test_an_event_without_an_actor_comes_back(store):
    add(store, an_event(actor=Actor()))

    with store.read() as tx:
        assert tx.event(EVENT).actor == Actor()


def test_an_unknown_event_is_none(store):
    with store.read() as tx:
        assert tx.event("evt_9") is None
        assert tx.payload("pay_9") is None


def test_data_comes_back_digit_by_digit(store):
    text = (
        b'{"z":1.50,"a":1e5,"big":123456789012345678901234567890,"n":-0.0,"t":9007199254740993,'
        b'"empty":{},"list":[null,true,"\\u00e9\\ud83d\\ude00 <&>"],"s":"a\\"b\\\\c"}'
    )
    data = jsontext.decode(text)

    add(store, an_event(data=data))

    with store.read() as tx:
        assert jsontext.encode(tx.event(EVENT).data) == jsontext.encode(data)


def test_no_events_are_no_work(store):
    with store.write() as tx:
        tx.add_events([])
        tx.add_payloads([])
        tx.add_idempotency_records([])
        tx.add_deliveries([])

    assert listed(store) == ([], None)


def test_events_are_listed_newest_first_page_by_page(store):
    add(store, *numbered(5), an_event(id="evt_9", account_id="acc_2"))

    first, cursor = listed(store, limit=2)
    second, cursor = listed(store, limit=2, cursor=cursor)
    third, cursor = listed(store, limit=2, cursor=cursor)

    assert (first, second, third) == (["evt_5", "evt_4"], ["evt_3", "evt_2"], ["evt_1"])
    assert cursor is None


def test_events_of_one_moment_are_listed_by_id(store):
    add(store, *(an_event(id=f"evt_{number}") for number in range(1, 6)))

    first, cursor = listed(store, limit=3)
    second, _ = listed(store, limit=3, cursor=cursor)

    assert (first, second) == (["evt_5", "evt_4", "evt_3"], ["evt_2", "evt_1"])


def test_a_page_stays_good_when_its_last_event_is_gone(store):
    add(store, *numbered(3))
    _, cursor = listed(store, limit=1)
    add(store, an_event(id="evt_9", received_at=NOW + DAY))
    with store.write() as tx:
        tx.prune(before=NOW + 2 * MINUTE, limit=1)

    assert listed(store, cursor=cursor) == (["evt_2"], None)


def test_events_of_some_types_are_listed_in_one_order(store):
    events = numbered(6)
    types = ["a.b", "c.d", "a.b", "e.f", "c.d", "a.b"]
    add(
        store,
        *(
            an_event(id=e.id, received_at=e.received_at, type=t)
            for e, t in zip(events, types, strict=True)
        ),
    )

    first, cursor = listed(store, types=frozenset({"a.b", "c.d"}), limit=3)
    second, end = listed(store, types=frozenset({"a.b", "c.d"}), limit=3, cursor=cursor)

    assert (first, second) == (["evt_6", "evt_5", "evt_3"], ["evt_2", "evt_1"])
    assert end is None


def test_events_since_a_moment_came_after_it(store):
    add(store, *numbered(3))

    assert listed(store, since=NOW + 2 * MINUTE)[0] == ["evt_3"]


def test_only_open_events_are_listed_on_request(store):
    add(store, an_event(), an_event(id="evt_2", disposition=Disposition.COLLAPSED))

    assert listed(store, only_open=True)[0] == ["evt_1"]


def test_a_payload_comes_back_byte_by_byte(store):
    add(store, an_event())
    payload = a_payload(body=bytes(range(256)))

    with store.write() as tx:
        tx.add_payloads([payload])

    with store.read() as tx:
        assert tx.payload(PAYLOAD) == payload


def test_an_idempotency_record_comes_back_whole(store):
    record = an_idempotency_record()

    with store.write() as tx:
        tx.add_idempotency_records([record])

    with store.read() as tx:
        assert tx.idempotency_record(ACCOUNT, "order-1") == record
        assert tx.idempotency_record("acc_2", "order-1") is None
        assert tx.idempotency_record(ACCOUNT, "order-2") is None


def test_a_taken_idempotency_key_is_a_conflict_and_nothing_is_kept(store):
    with store.write() as tx:
        tx.add_idempotency_records([an_idempotency_record()])

    def publish():
        with store.write() as tx:
            tx.add_events([an_event()])
            tx.add_idempotency_records([an_idempotency_record(key="x"), an_idempotency_record()])

    with pytest.raises(ConflictError):
        publish()

    with store.read() as tx:
        assert tx.event(EVENT) is None
        assert tx.idempotency_record(ACCOUNT, "x") is None


def test_two_accounts_may_use_one_idempotency_key(store):
    with store.write() as tx:
        tx.add_idempotency_records(
            [an_idempotency_record(), an_idempotency_record(account_id="acc_2")]
        )

    with store.read() as tx:
        assert tx.idempotency_record("acc_2", "order-1") is not None
