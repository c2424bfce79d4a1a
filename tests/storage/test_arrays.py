"""Many rows as arrays: what PostgreSQL reads is what was written, and is one statement."""

from contextlib import closing

import pytest
from sqlalchemy import make_url, update
from sqlalchemy.dialects.postgresql.psycopg import dialect

from app.storage import open_store
from app.storage.arrays import ArrayStatement, array_literal, quoted
from app.storage.tables import deliveries
from tests.builders import (
    DAY,
    NOW,
    a_delivery,
    a_payload,
    a_settlement,
    an_attempt,
    an_event,
    an_outcome,
    furnish,
    succeeded,
)
from tests.contracts.stores import a_vault
from tests.postgres import postgres
from tests.storage.statements import recorded

ODD = ['"', "\\", '\\"', "{a,b}", "NULL", "", " ", "a\nb", "é€😀", "'", "%(id)s", "\u2028"]


@pytest.fixture
def store():
    url = postgres().new_database()
    with closing(open_store(url, vault=a_vault())) as opened:
        furnish(opened)
        yield opened
    postgres().drop(make_url(url).database)


def test_every_text_comes_back_as_it_was(store):
    with store.write() as tx:
        tx.add_events(
            [an_event(id=f"evt_x{n}", data={one: one}, record_id=one) for n, one in enumerate(ODD)]
        )

    with store.read() as tx:
        found = [tx.event(f"evt_x{n}") for n in range(len(ODD))]
    assert [event.record_id for event in found] == ODD
    assert [event.data for event in found] == [{one: one} for one in ODD]


def test_nothing_and_something_share_an_array(store):
    with store.write() as tx:
        tx.add_events([an_event(id="evt_x1", origin=None), an_event(id="evt_x2", origin="import")])

    with store.read() as tx:
        assert [tx.event(one).origin for one in ("evt_x1", "evt_x2")] == [None, "import"]


def test_an_array_of_nothing_but_nothing_keeps_its_type(store):
    with store.write() as tx:
        tx.add_deliveries([a_delivery()])
        [claimed] = tx.claim_due(worker="w", now=NOW, lease_until=NOW + DAY, limit=1)
        assert tx.settle([a_settlement(claimed, succeeded())]) == ()

    with store.read() as tx:
        assert tx.delivery("dlv_1").next_attempt_at is None


def test_bytes_come_back_as_they_were(store):
    bodies = [bytes(range(256)), b"", b"\\x41", b'{"a":"\\u0000"}']
    with store.write() as tx:
        tx.add_payloads([a_payload(id=f"pay_x{n}", body=one) for n, one in enumerate(bodies)])

    with store.read() as tx:
        assert [tx.payload(f"pay_x{n}").body for n in range(len(bodies))] == bodies


def test_moments_keep_their_microseconds(store):
    with store.write() as tx:
        tx.add_events([an_event(id="evt_x1", occurred_at=NOW)])

    with store.read() as tx:
        assert tx.event("evt_x1").occurred_at == NOW


def test_a_hundred_rows_are_the_statement_of_one(store):
    with recorded(store) as found, store.write() as tx:
        tx.add_payloads([a_payload(id="pay_x0")])
        tx.add_payloads([a_payload(id=f"pay_x{n}") for n in range(1, 101)])

    one, hundred = [text for text, _values in found]
    assert one == hundred


def test_a_settlement_of_a_batch_updates_its_deliveries_at_once(store):
    with store.write() as tx:
        tx.add_deliveries([a_delivery(id=f"dlv_x{n}") for n in range(20)])
        claimed = tx.claim_due(worker="w", now=NOW, lease_until=NOW + DAY, limit=20)

    with recorded(store) as found, store.write() as tx:
        tx.settle([a_settlement(one, succeeded()) for one in claimed])

    updates = [text for text, _values in found if text.startswith("UPDATE deliveries")]
    assert len(updates) == 1


def test_an_answer_with_odd_headers_is_kept(store):
    headers = tuple((one, one) for one in ODD)
    with store.write() as tx:
        tx.add_deliveries([a_delivery()])
        [claimed] = tx.claim_due(worker="w", now=NOW, lease_until=NOW + DAY, limit=1)
        outcome = an_outcome(response_headers=headers)
        tx.settle([a_settlement(claimed, succeeded(), attempt=an_attempt(outcome=outcome))])

    with store.read() as tx:
        [attempt] = tx.attempts("dlv_1")
    assert attempt.outcome.response_headers == headers


@pytest.mark.parametrize(
    ("values", "literal"),
    [
        ([], "{}"),
        (["a", None], '{"a",NULL}'),
        (["NULL"], '{"NULL"}'),
        (['a"b\\c'], '{"a\\"b\\\\c"}'),
    ],
)
def test_array_literals(values, literal):
    assert array_literal(values, quoted) == literal


def test_what_the_statement_says_itself_stays_a_value():
    statement = update(deliveries).where(deliveries.c.id == "dlv_1").values(worker="w1")

    made = ArrayStatement(statement, None, dialect())

    assert set(made.values([]).values()) == {"dlv_1", "w1"}
