"""Why did it (not) fire? And what would have fired?"""

from datetime import timedelta

import pytest

from app.core.errors import NotFoundError
from app.core.matching import Reason
from app.services.accounts import AccountChange, change_account
from app.services.explain import dry_run, explain_event
from app.services.subscribe import pause, resume, unsubscribe
from app.services.wishes import Wish
from tests.services.steps import (
    ACCOUNT,
    an_event_to,
    published,
    published_together,
    subscribed,
    with_account,
)


@pytest.fixture
def account(context):
    return with_account(context)


def reasons(context, account, event_id, language="en"):
    _, found = explain_event(context, account.id, event_id, language=language)
    return [one.reason for one in found]


def test_each_subscription_has_its_reason(context, account):
    urls = [f"https://hooks.example.com/{number}" for number in range(5)]
    subscribed(context, account.id, "changed_appointment", url=urls[0])
    subscribed(context, account.id, "new_user", url=urls[1])
    subscribed(context, account.id, "changed_appointment", url=urls[2], resource_ids=("51423",))
    too_much = {"field": "price", "op": "gt", "value": 100}
    subscribed(context, account.id, "changed_appointment", url=urls[3], filters=too_much)
    paused = subscribed(context, account.id, "changed_appointment", url=urls[4])
    pause(context, account.id, paused.id)

    event_id = published(context, data={"id": 1, "schedule_id": 7, "price": 15}).id
    _, found = explain_event(context, account.id, event_id, language="en")

    by_url = {one.subscription.target_url: one for one in found}
    assert [by_url[url].reason for url in urls] == [
        Reason.FIRED,
        Reason.OTHER_TRIGGER,
        Reason.OTHER_RESOURCE,
        Reason.FILTER_FALSE,
        Reason.PAUSED,
    ]
    assert by_url[urls[0]].delivery_id is not None
    assert by_url[urls[3]].text == (
        "The filter wants: Price is greater than 100, but Price was 15."
    )
    assert by_url[urls[2]].text == (
        "The webhook is restricted to Yoga room; this event is about 7."
    )


def test_a_subscription_that_is_younger_than_the_event_says_so(context, account):
    event_id = published(context).id
    context.clock.advance(timedelta(seconds=1))
    subscribed(context, account.id, "changed_appointment")

    assert reasons(context, account, event_id) == [Reason.NOT_SUBSCRIBED_YET]


def test_what_would_fire_now_but_did_not_is_not_called_fired(context, account):
    subscription = subscribed(context, account.id, "changed_appointment")
    pause(context, account.id, subscription.id)
    event_id = published(context).id
    resume(context, account.id, subscription.id)

    assert reasons(context, account, event_id) == [Reason.CHANGED_SINCE]


def test_a_collapsed_update_says_that_a_later_one_stands_for_it(context, account):
    subscribed(context, account.id, "on_update", resource_ids=("Sales Order",))
    never = {"field": "doc.status", "op": "eq", "value": "Never"}
    subscribed(
        context,
        account.id,
        "on_update",
        url="https://b.example.com/",
        resource_ids=("Sales Order",),
        filters=never,
    )
    update = an_event_to(
        event_type="document.on_update",
        data={"name": "SO-1", "doctype": "Sales Order"},
        transaction="tx1",
    )

    first, _ = published_together(context, update, update)

    assert sorted(reasons(context, account, first.id)) == [Reason.COLLAPSED, Reason.FILTER_FALSE]


def test_an_ended_subscription_that_was_reached_is_told(context, account):
    subscription = subscribed(context, account.id, "changed_appointment")
    event_id = published(context).id
    unsubscribe(context, account.id, subscription.id)

    assert reasons(context, account, event_id) == [Reason.FIRED]


def test_a_silent_event_and_a_switched_off_account_are_told(context, account):
    subscribed(context, account.id, "changed_appointment")
    silent = published(context, origin="api").id
    _, [told] = explain_event(context, account.id, silent, language="fr")
    change_account(context, ACCOUNT, AccountChange(enabled=False))
    off = published(context).id

    assert reasons(context, account, silent) == [Reason.SILENT_ORIGIN]
    assert told.text == context.registry.catalogs["bookings"].silent_origins[0].reason.fr
    assert reasons(context, account, off) == [Reason.ACCOUNT_OFF]


def test_nobody_is_told_about_anothers_events(context, account):
    other = with_account(context, "salon-2")
    event_id = published(context).id

    with pytest.raises(NotFoundError):
        explain_event(context, other.id, event_id, language="en")


def test_a_dry_run_says_what_would_have_matched_and_why_not_the_others(context, account):
    for price in (15, 150, 20, 200):
        published(context, data={"id": price, "price": price})
    wish = Wish(
        triggers=("changed_appointment",),
        target_url="https://hooks.example.com/new",
        filters={"field": "price", "op": "gt", "value": 100},
    )

    found = dry_run(context, account.id, wish, limit=3, language="fr")

    assert found.checked == 3
    assert [one["price"] for one in found.matched] == [200, 150]
    [(_, reason, text)] = found.misses
    assert reason is Reason.FILTER_FALSE
    assert "20" in text


def test_an_unavailable_trigger_is_explained_in_the_catalogs_words(context, account):
    subscribed(context, account.id, "sms_link_clicked")
    change_account(context, ACCOUNT, AccountChange(features={"sms_marketing": False}))
    event_id = published(context, event_type="sms_click.clicked").id

    _, [told] = explain_event(context, account.id, event_id, language="en")

    reason = context.registry.trigger("sms_link_clicked").requires[0].reason
    assert (told.reason, told.text) == (Reason.TRIGGER_UNAVAILABLE, reason.en)
