"""Group commit: who comes while a transaction runs, is stored in the next one."""

import threading

import pytest

from app.core.errors import IdempotencyConflictError, InvalidRequestError, UnavailableError
from app.core.events import Disposition
from app.core.records import EventQuery
from app.services import ingest
from app.services.groups import MOST_IN_GROUP, Groups
from app.services.ingest import publish
from app.services.publications import Published
from tests.services.steps import an_event_to, subscribed, with_account


class Works:
    """Work that waits, the first time, until it is let go."""

    def __init__(self):
        self.groups = []
        self.begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self, items):
        self.groups.append(list(items))
        if len(self.groups) == 1:
            self.begun.set()
            assert self.may_end.wait(5)
        return [ValueError(item) if item == "bad" else item.upper() for item in items]


def run_while_busy(items):
    """Let one item be worked on, and the others come meanwhile; return what came of all."""
    groups, work, outcomes = Groups(), Works(), {}

    def run(item):
        try:
            outcomes[item] = groups.run(item, work)
        except ValueError as error:
            outcomes[item] = error

    threads = [threading.Thread(target=run, args=[item]) for item in ("first", *items)]
    threads[0].start()
    assert work.begun.wait(5)
    for thread in threads[1:]:
        thread.start()
    while len(groups._waiting) < len(items):
        pass
    work.may_end.set()
    for thread in threads:
        thread.join()
    return work.groups, outcomes


def test_one_alone_does_not_wait():
    work = Works()
    work.may_end.set()

    assert Groups().run("a", work) == "A"
    assert work.groups == [["a"]]


def test_those_who_come_meanwhile_are_done_together():
    groups, outcomes = run_while_busy(["a", "b", "c"])

    assert [sorted(one) for one in groups] == [["first"], ["a", "b", "c"]]
    assert outcomes == {"first": "FIRST", "a": "A", "b": "B", "c": "C"}


def test_an_exception_is_raised_where_its_item_came_from():
    _, outcomes = run_while_busy(["a", "bad"])

    assert outcomes["a"] == "A"
    assert isinstance(outcomes["bad"], ValueError)


def test_a_group_has_a_size():
    groups, outcomes = run_while_busy([f"i{n}" for n in range(MOST_IN_GROUP + 5)])

    assert [len(one) for one in groups] == [1, MOST_IN_GROUP, 5]
    assert len(outcomes) == 1 + MOST_IN_GROUP + 5


def test_work_that_raises_blocks_nobody_who_comes_later():
    groups = Groups()
    with pytest.raises(ZeroDivisionError):
        groups.run("a", lambda items: [1 / 0 for _ in items])

    assert groups.run("b", lambda items: items) == "b"


# Publishing in a group.


@pytest.fixture
def account(context):
    account = with_account(context)
    subscribed(context, account.id, "changed_appointment")
    return account


def stored(context, account):
    with context.store.read() as tx:
        return tx.events(account.id, EventQuery(), limit=100, cursor=None).items


def appointment(number, **changes):
    return an_event_to(data={"id": number}, **changes)


def test_each_of_a_group_is_stored_in_one_transaction_and_the_bell_rings_once(context, account):
    answers = ingest._publish_group(context, [appointment(n) for n in range(5)])

    assert [one.deliveries for one in answers] == [1] * 5
    assert {one.id for one in stored(context, account)} == {one.id for one in answers}
    assert context.doorbell.rings == 1


def test_what_is_wrong_with_one_is_no_affair_of_the_others(context, account):
    publish(context, appointment(1, idempotency_key="used"))

    fine, wrong, conflict, unknown, replayed, also_fine = ingest._publish_group(
        context,
        [
            appointment(2),
            appointment("text"),
            appointment(3, idempotency_key="used"),
            appointment(4, account="nobody"),
            appointment(1, idempotency_key="used"),
            appointment(5, idempotency_key="new"),
        ],
    )

    assert isinstance(wrong, InvalidRequestError)
    assert [one.field for one in wrong.problems] == ["data.id"]
    assert isinstance(conflict, IdempotencyConflictError)
    assert isinstance(unknown, InvalidRequestError)
    assert replayed.is_replay
    assert {one.record_id for one in stored(context, account)} == {"1", "2", "5"}
    assert [fine.is_replay, also_fine.is_replay] == [False, False]


def test_a_key_twice_in_a_group_is_accepted_once(context, account):
    key = {"idempotency_key": "k1"}

    first, again, other = ingest._publish_group(
        context, [appointment(1, **key), appointment(1, **key), appointment(2, **key)]
    )

    assert (again.id, again.is_replay) == (first.id, True)
    assert isinstance(other, IdempotencyConflictError)
    assert len(stored(context, account)) == 1


def test_a_key_twice_under_two_names_of_an_account_is_accepted_once(context, account):
    by_reference = appointment(1, idempotency_key="k1")
    by_id = appointment(1, idempotency_key="k1", account=account.id)

    first, again = ingest._publish_group(context, [by_reference, by_id])

    assert (again.id, again.is_replay) == (first.id, True)
    assert len(stored(context, account)) == 1


def test_events_of_different_requests_do_not_collapse(context, account):
    update = an_event_to(
        event_type="document.on_update",
        data={"name": "SO-1", "doctype": "Sales Order"},
        transaction="t1",
    )
    subscribed(context, account.id, "on_update", resource_ids=("Sales Order",))

    answers = ingest._publish_group(context, [update, update])

    assert [one.disposition for one in answers] == [Disposition.OPEN, Disposition.OPEN]


def test_an_error_that_nobody_foresaw_harms_only_whose_it_is(context, account, monkeypatch):
    real = ingest.fan_out

    def fails_on_seven(given, lookups, account, event):
        if event.record_id == "7":
            raise LookupError("a bug")
        return real(given, lookups, account, event)

    monkeypatch.setattr(ingest, "fan_out", fails_on_seven)

    before, broken, after = ingest._publish_group(context, [appointment(n) for n in (6, 7, 8)])

    assert isinstance(broken, LookupError)
    assert isinstance(before, Published)
    assert isinstance(after, Published)
    assert {one.record_id for one in stored(context, account)} == {"6", "8"}


def test_a_store_that_is_away_is_asked_once(context, account, monkeypatch):
    asked = []

    def away():
        asked.append(1)
        raise UnavailableError("The database is busy.")

    monkeypatch.setattr(context.store, "write", away)

    answers = ingest._publish_group(context, [appointment(n) for n in range(3)])

    assert [type(one) for one in answers] == [UnavailableError] * 3
    assert len({id(one) for one in answers}) == 3
    assert len(asked) == 1
