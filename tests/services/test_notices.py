"""Operational events: ordinary events, of the vendor's own account, and never in a circle."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.accounts import OPERATIONS_REFERENCE
from app.core.deliveries import DeliveryState, OutcomeKind
from app.core.errors import InvalidRequestError, NotFoundError
from app.core.health import Health
from app.core.presence import LATE_AFTER
from app.core.records import DeliveryQuery, EventQuery
from app.core.subscriptions import StateReason, SubscriptionState
from app.core.weighing import NoticeKind
from app.services import deliver, notices
from app.services.accounts import AccountChange, change_account, create_account
from app.services.deliver import EndedAttempt
from app.services.events import require_event
from app.services.operations import operations_account
from app.services.samples import SampleQuery, samples
from app.services.settle import settle_attempts
from app.services.triggers import find_trigger, list_triggers
from app.system.tally import Tally
from tests.builders import a_refusal
from tests.contexts import a_context
from tests.services.steps import deliveries_of, published, subscribed, with_account

SUSPENDED = "relais_subscription_suspended"
TRIGGERS = [
    "relais_subscription_warned",
    SUSPENDED,
    "relais_subscription_reinstated",
    "relais_subscription_gone",
    "relais_diversion_failed",
    "relais_queue_late",
]
VENDOR = "https://vendor.example.com/relais"


@pytest.fixture
def context():
    made = a_context(meter=Tally())
    yield made
    made.store.close()


@pytest.fixture
def account(context):
    return with_account(context)


@pytest.fixture
def vendor(context):
    return operations_account(context)


def a_suspended_one(context, account, **changes):
    made = subscribed(context, account.id, "changed_appointment", name="Calendar", **changes)
    return replace(made, state=SubscriptionState.SUSPENDED, state_reason=StateReason.KEEPS_FAILING)


def tell(context, subscription, kind=NoticeKind.SUBSCRIPTION_SUSPENDED, **health):
    with context.store.write() as tx:
        return notices.tell_of_subscription(context, tx, kind, subscription, Health(**health))


def events_of(context, account):
    with context.store.read() as tx:
        return tx.events(account.id, EventQuery(), limit=100, cursor=None).items


def told(context):
    return {
        series[1]: numbers[0]
        for series, numbers in context.meter.read().items()
        if series[0] == "relais_notices_total"
    }


# Who sees what.


def test_a_customers_account_has_none_of_these_triggers(context, account):
    keys = {one.trigger.key for one in list_triggers(context, account.id)}

    assert keys & set(TRIGGERS) == set()
    with pytest.raises(NotFoundError):
        find_trigger(context, account.id, SUSPENDED)
    with pytest.raises(InvalidRequestError):
        subscribed(context, account.id, SUSPENDED)


def test_a_customers_account_cannot_be_given_them(context):
    with pytest.raises(InvalidRequestError):
        create_account(context, "salon-2", AccountChange(catalogs=("operations",)))


def test_the_vendors_account_has_these_triggers_only(context, vendor):
    assert [one.trigger.key for one in list_triggers(context, vendor.id)] == TRIGGERS
    assert all(one.unavailable is None for one in list_triggers(context, vendor.id))


def test_the_vendors_account_is_made_once(context, vendor):
    assert operations_account(context) == vendor


def test_nobody_else_gets_its_reference(context):
    with pytest.raises(InvalidRequestError) as caught:
        create_account(context, OPERATIONS_REFERENCE, AccountChange())

    assert [one.code for one in caught.value.problems] == ["reserved"]


def test_it_takes_no_other_catalog_but_another_language(context, vendor):
    with pytest.raises(InvalidRequestError):
        change_account(context, vendor.id, AccountChange(catalogs=("bookings",)))

    assert change_account(context, vendor.id, AccountChange(language="fr")).language == "fr"


@pytest.mark.parametrize("name", [*notices.EVENT_TYPES.values()])
def test_nobody_publishes_these_events(context, vendor, account, name):
    for reference in (vendor.reference, account.reference):
        with pytest.raises(InvalidRequestError) as caught:
            published(context, reference, name)
        assert [one.code for one in caught.value.problems] == ["unknown_type"]


def test_every_kind_of_notice_has_an_event_of_the_catalog(context):
    catalog = context.registry.catalogs["operations"]

    assert set(notices.EVENT_TYPES) == set(NoticeKind)
    assert set(notices.EVENT_TYPES.values()) == {one.name for one in catalog.event_types()}


# What is told.


def test_a_suspended_webhook_is_told_to_who_subscribed(context, account, vendor):
    heard = subscribed(context, vendor.id, SUSPENDED, url=VENDOR)
    subscription = a_suspended_one(context, account)

    assert tell(context, subscription, failing_since=context.clock.now(), failure_count=24) == 1

    [(trigger, payload)] = deliveries_of(context, vendor.id)
    assert trigger == SUSPENDED
    assert payload == {
        "id": payload["id"],
        "trigger": SUSPENDED,
        "event": "suspended",
        "occurred_at": "2026-03-01T12:00:00.000Z",
        "account": OPERATIONS_REFERENCE,
        "relais_subscription_id": subscription.id,
        "customer": account.reference,
        "name": "Calendar",
        "platform": "generic",
        "target_host": "hooks.example.com",
        "listens_to": ["changed_appointment"],
        "state": "suspended",
        "reason": "keeps_failing",
        "failing_since": "2026-03-01T12:00:00.000Z",
        "failures": 24,
    }
    assert heard.account_id == vendor.id
    assert deliveries_of(context, account.id) == []


def test_a_notice_is_an_event_that_can_be_looked_up(context, account, vendor):
    subscription = a_suspended_one(context, account)
    tell(context, subscription)

    [event] = events_of(context, vendor)

    assert event.type == "relais_subscription.suspended"
    assert event.record_id == subscription.id
    with context.store.read() as tx:
        assert require_event(tx, event.id, vendor.id) == event


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_samples_have_the_keys_of_the_examples(context, account, vendor, trigger):
    def keys():
        [payload] = samples(context, vendor.id, trigger, SampleQuery(limit=1)).payloads
        return set(payload)

    example = keys()
    kind = dict(zip(TRIGGERS, NoticeKind, strict=True))[trigger]
    with context.store.write() as tx:
        notices.notify(context, tx, kind, about=account.id, data={})

    assert keys() == example


def test_filters_hold_for_notices(context, account, vendor):
    subscribed(context, vendor.id, SUSPENDED, url=VENDOR, filters={"customer": "somebody-else"})

    assert tell(context, a_suspended_one(context, account)) == 0


def test_the_vendors_own_webhooks_are_not_told_of(context, vendor):
    heard = subscribed(context, vendor.id, SUSPENDED, url=VENDOR)
    own = replace(heard, state=SubscriptionState.SUSPENDED)

    assert tell(context, own) == 0

    assert events_of(context, vendor) == ()


def test_where_nobody_ever_asked_nothing_is_kept_but_it_is_counted(context, account):
    assert tell(context, a_suspended_one(context, account)) == 0

    assert told(context) == {"subscription.suspended": 1}


def test_a_notice_happens_with_what_it_tells_or_not_at_all(context, account, vendor):
    subscribed(context, vendor.id, SUSPENDED, url=VENDOR)
    subscription = a_suspended_one(context, account)

    with suppress(ZeroDivisionError), context.store.write() as tx:
        kind = NoticeKind.SUBSCRIPTION_SUSPENDED
        assert notices.tell_of_subscription(context, tx, kind, subscription) == 1
        raise ZeroDivisionError

    assert events_of(context, vendor) == ()
    assert deliveries_of(context, vendor.id) == []


def test_a_notice_can_be_claimed_and_signed_like_any_delivery(context, account, vendor):
    heard = subscribed(context, vendor.id, SUSPENDED, url=VENDOR)
    tell(context, a_suspended_one(context, account))

    [claimed] = deliver.claim(context, worker="w1", limit=10)

    assert claimed.subscription.id == heard.id
    assert deliver.prepare(context, claimed, user_agent="x").request.target_url == VENDOR


# What attempts lead to.


def an_exchange(context, status_code):
    """Send what is due to one subscription, with this answer; return what was settled."""
    claimed = deliver.claim(context, worker="w1", limit=1)
    prepared = deliver.prepare(context, claimed[0], user_agent="x")
    ended = EndedAttempt(
        prepared=prepared, outcome=a_refusal(status_code), ended_at=context.clock.now()
    )
    return settle_attempts(context, [ended])


def test_a_target_that_is_gone_is_told_when_its_attempt_is_settled(context, account, vendor):
    subscribed(context, vendor.id, "relais_subscription_gone", url=VENDOR)
    gone = subscribed(context, account.id, "changed_appointment")
    published(context)

    an_exchange(context, 410)

    [(_, payload)] = deliveries_of(context, vendor.id)
    assert payload["relais_subscription_id"] == gone.id
    assert (payload["state"], payload["reason"]) == ("ended", "target_gone")


def test_that_a_target_is_gone_is_told_once_however_many_attempts_heard_it(
    context, account, vendor
):
    subscribed(context, vendor.id, "relais_subscription_gone", url=VENDOR)
    subscribed(context, account.id, "changed_appointment")
    for _ in range(3):
        published(context)
    claimed = deliver.claim(context, worker="w1", limit=3)
    prepared = [deliver.prepare(context, one, user_agent="x") for one in claimed]

    for one in prepared:  # each in a turn of its own
        now = context.clock.now()
        settle_attempts(context, [EndedAttempt(prepared=one, outcome=a_refusal(410), ended_at=now)])

    assert len(deliveries_of(context, vendor.id)) == 1


def test_a_target_that_only_fails_once_is_nothing_to_tell(context, account, vendor):
    subscribed(context, account.id, "changed_appointment")
    published(context)

    an_exchange(context, 500)

    assert events_of(context, vendor) == ()


def test_a_diverted_message_is_told_as_lost_when_its_last_attempt_is_settled(
    context, account, vendor
):
    subscribed(context, vendor.id, "relais_diversion_failed", url=VENDOR)
    subscribed(context, account.id, "reminder")
    published(context, account.reference, "reminder.reminder", {"id": 881})

    an_exchange(context, 410)

    [(trigger, payload)] = deliveries_of(context, vendor.id)
    assert trigger == "relais_diversion_failed"
    assert (payload["outcome"], payload["status_code"]) == ("http_status", 410)


def test_what_befalls_the_vendors_own_webhook_goes_round_in_no_circle(context, vendor):
    subscribed(context, vendor.id, "relais_subscription_gone", url=VENDOR)
    with context.store.write() as tx:
        notices.notify(context, tx, NoticeKind.SUBSCRIPTION_GONE, about=None, data={})
    before = events_of(context, vendor)

    an_exchange(context, 410)

    assert events_of(context, vendor) == before


# Messages that were left to us.


def a_reminder(context, account, *urls):
    """Publish a diverting event to these webhooks; return its deliveries, newest first."""
    for url in urls:
        subscribed(context, account.id, "reminder", url=url)
    published(context, account.reference, "reminder.reminder", {"id": 881})
    with context.store.read() as tx:
        return tx.deliveries(account.id, DeliveryQuery(), limit=10, cursor=None).items


def end(context, delivery, state):
    """End a delivery as the last of its attempts did."""
    with context.store.database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE deliveries SET state = ?, settled_at = 1, due_at = NULL, outcome = ?,"
            " status_code = 500 WHERE id = ?",
            (state.value, OutcomeKind.HTTP_STATUS.value, delivery.id),
        )


def tell_of_loss(context, delivery):
    with context.store.write() as tx:
        return notices.tell_of_lost_diversion(context, tx, tx.delivery(delivery.id))


def test_a_diverted_message_that_nobody_delivered_is_told(context, account, vendor):
    subscribed(context, vendor.id, "relais_diversion_failed", url=VENDOR)
    first, second = a_reminder(context, account, "https://a.example.com/", "https://b.example.com/")

    end(context, first, DeliveryState.FAILED)
    assert tell_of_loss(context, first) == 0  # the other one may yet do it
    end(context, second, DeliveryState.CANCELLED)
    assert tell_of_loss(context, second) == 1

    [(_, payload)] = deliveries_of(context, vendor.id)
    assert payload["lost_event_id"] == first.event_id
    assert payload["lost_event_type"] == "reminder.reminder"
    assert payload["lost_record_id"] == "881"
    assert (payload["customer"], payload["webhook_id"]) == ("salon-1", second.subscription_id)
    assert (payload["outcome"], payload["status_code"]) == ("http_status", 500)


def test_a_diverted_message_that_one_webhook_delivered_is_not_lost(context, account, vendor):
    first, second = a_reminder(context, account, "https://a.example.com/", "https://b.example.com/")
    end(context, first, DeliveryState.SUCCEEDED)
    end(context, second, DeliveryState.FAILED)

    assert tell_of_loss(context, second) == 0
    assert told(context) == {}


def test_other_events_that_fail_are_nobodys_lost_message(context, account):
    subscribed(context, account.id, "changed_appointment")
    published(context)
    with context.store.read() as tx:
        [delivery] = tx.deliveries(account.id, DeliveryQuery(), limit=10, cursor=None).items
    end(context, delivery, DeliveryState.FAILED)

    assert tell_of_loss(context, delivery) == 0
    assert told(context) == {}


# The queue.


def test_a_late_queue_is_told_once_an_hour(context, account, vendor):
    subscribed(context, vendor.id, "relais_queue_late", url=VENDOR)
    subscribed(context, account.id, "changed_appointment")
    published(context)
    assert notices.warn_of_backlog(context) == 0

    context.clock.advance(LATE_AFTER + timedelta(seconds=1))
    rings = context.doorbell.rings
    assert [notices.warn_of_backlog(context) for _ in range(3)] == [1, 0, 0]
    assert context.doorbell.rings == rings + 1
    context.clock.advance(timedelta(minutes=61))
    assert notices.warn_of_backlog(context) == 1

    (_, first), _ = deliveries_of(context, vendor.id)
    assert (first["due"], first["age_seconds"]) == (1, 301)
    assert first["oldest_due_at"] == "2026-03-01T12:00:00.000Z"


def test_a_late_queue_that_nobody_asked_about_is_not_told(context, account):
    subscribed(context, account.id, "changed_appointment")
    published(context)
    context.clock.advance(timedelta(days=1))

    assert notices.warn_of_backlog(context) == 0
