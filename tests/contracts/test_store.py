"""What every store promises about its transactions. See `app.core.ports.Store`."""

from contextlib import suppress

import pytest

from app.core.errors import ConflictError, InvalidRequestError, UnavailableError
from app.core.records import DeliveryQuery, EventQuery, SubscriptionQuery
from app.storage import ENGINES
from tests.builders import ACCOUNT, NOW, an_account, an_event, furnish
from tests.contracts.stores import STORES


def test_every_engine_is_tested():
    dialects = {name.partition("+")[0] for name in ENGINES}
    assert {name.partition("-")[0] for name in STORES} == dialects


def test_a_write_is_there_afterwards(store):
    with store.write() as tx:
        tx.add_account(an_account())

    with store.read() as tx:
        assert tx.account(ACCOUNT) == an_account()


def test_a_write_that_raises_leaves_nothing(store):
    with suppress(ZeroDivisionError), store.write() as tx:
        tx.add_account(an_account())
        tx.add_events([an_event()])
        raise ZeroDivisionError

    with store.read() as tx:
        assert tx.account(ACCOUNT) is None
        assert tx.event(an_event().id) is None


def test_a_transaction_sees_its_own_writes(store):
    with store.write() as tx:
        tx.add_account(an_account())
        assert tx.account(ACCOUNT) == an_account()


def test_a_reader_cannot_write(store):
    with pytest.raises(UnavailableError), store.read() as tx:
        tx.add_account(an_account())

    with store.read() as tx:
        assert tx.account(ACCOUNT) is None


def test_a_refused_write_does_not_spoil_the_next_one(store):
    furnish(store)
    with pytest.raises(ConflictError), store.write() as tx:
        tx.add_account(an_account(id="acc_2"))

    with store.write() as tx:
        tx.add_account(an_account(id="acc_2", reference="salon-2"))

    with store.read() as tx:
        assert tx.account("acc_2") is not None


def test_ping_answers(store):
    store.ping()


@pytest.mark.parametrize("cursor", ["", "nonsense", "MQ", "é", "a" * 5000, "MS5zdWJfMQ==="])
def test_a_nonsense_cursor_is_refused(store, cursor):
    asked = [
        lambda tx: tx.accounts(limit=1, cursor=cursor),
        lambda tx: tx.subscriptions(ACCOUNT, SubscriptionQuery(), limit=1, cursor=cursor),
        lambda tx: tx.events(ACCOUNT, EventQuery(), limit=1, cursor=cursor),
        lambda tx: tx.deliveries(ACCOUNT, DeliveryQuery(), limit=1, cursor=cursor),
    ]
    for ask in asked:
        with store.read() as tx, pytest.raises(InvalidRequestError) as caught:
            ask(tx)
        assert [problem.field for problem in caught.value.problems] == ["cursor"]


def test_the_cursor_of_another_list_is_refused(store):
    with store.write() as tx:
        for number in range(2):
            tx.add_account(an_account(id=f"acc_{number}", reference=str(number)))
    with store.read() as tx:
        cursor = tx.accounts(limit=1, cursor=None).next_cursor

    with store.read() as tx, pytest.raises(InvalidRequestError):
        tx.events(ACCOUNT, EventQuery(), limit=1, cursor=cursor)


def test_times_keep_their_microseconds(store):
    with store.write() as tx:
        tx.add_account(an_account(created_at=NOW))

    with store.read() as tx:
        assert tx.account(ACCOUNT).created_at.microsecond == 123456
