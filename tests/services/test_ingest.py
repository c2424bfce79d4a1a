"""What publishing sets off, and what a publisher is answered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.accounts import CustomField, Form, Overlay
from app.core.errors import IdempotencyConflictError, InvalidRequestError
from app.core.events import Actor, Disposition
from app.core.fields import FieldType
from app.core.records import EventQuery
from app.services.accounts import AccountChange, change_account, put_overlay
from app.services.context import PayloadChecks
from app.services.ingest import check, publish
from app.services.subscribe import pause
from app.services.triggers import publishable_example
from tests.contexts import some_rules, the_registry
from tests.services.steps import (
    ACCOUNT,
    an_event_to,
    deliveries_of,
    published,
    published_together,
    subscribed,
    with_account,
)

TRIGGERS = [one.key for one in the_registry().triggers()]
SALES_ORDER = {"name": "SO-1", "doctype": "Sales Order"}


@pytest.fixture
def account(context):
    return with_account(context)


def resources_for(context, trigger):
    restriction = context.registry.trigger(trigger).restriction
    if restriction is None or not restriction.required:
        return ()
    kind = context.registry.resource_kind(restriction.kind)
    fits = {need.attribute: need.equals for need in restriction.requirements}
    return tuple(
        key
        for key, _, attributes in kind.samples
        if all(attributes.get(name) == value for name, value in fits.items())
    )


@pytest.mark.parametrize("publish_first", [False, True])
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_triggers_example_is_delivered_whole_whatever_came_first(
    context, account, trigger, publish_first
):
    example = publishable_example(context, account.id, trigger)
    event = an_event_to(event_type=example.type, data=example.data, actor=Actor(role=example.role))
    if publish_first:
        publish(context, event)
    subscribed(context, account.id, trigger, resource_ids=resources_for(context, trigger))

    answer = publish(context, event)

    [(fired, payload)] = deliveries_of(context, account.id)
    assert (answer.deliveries, fired) == (1, trigger)
    assert (payload["id"], payload["trigger"], payload["account"]) == (answer.id, trigger, ACCOUNT)
    assert payload[f"{context.registry.trigger(trigger).subject}_id"] is not None


def test_a_creation_fires_new_and_changed(context, account):
    subscribed(context, account.id, "new_appointment")
    subscribed(context, account.id, "changed_appointment")

    published(context)

    fired = [trigger for trigger, _ in deliveries_of(context, account.id)]
    assert fired == ["new_appointment", "changed_appointment"]


def test_an_attached_form_fires_the_appointments_trigger_and_brings_its_answers(context, account):
    question = CustomField(subject="form", key="level", type=FieldType.STRING, label="Level")
    form = Form(id="714", name="Intake", subject="form", fields=(question,), resource_id="714")
    put_overlay(context, account.id, Overlay(forms=(form,)))
    subscribed(context, account.id, "changed_appointment", resource_ids=("51423",))
    subscribed(context, account.id, "new_form", url="https://hooks.example.com/2")
    data = {
        "id": 331,
        "answers": {"level": "beginner"},
        "appointment": {"id": 7, "schedule_id": 51423},
    }

    answer = published(context, event_type="form.new", data=data)

    [(fired, payload)] = deliveries_of(context, account.id)
    assert (answer.deliveries, fired) == (1, "changed_appointment")
    assert (payload["event"], payload["appointment_id"]) == ("edit", 7)
    assert payload["form"]["answers"] == {"level": "beginner"}


@pytest.mark.parametrize("event_type", ["email.send", "reminder.reminder", "follow_up.follow_up"])
def test_a_message_is_diverted_while_a_webhook_fires_on_it(context, account, event_type):
    trigger = context.registry.triggers_hearing(event_type)[0].key
    event = an_event_to(event_type=event_type)
    before = publish(context, event)
    subscription = subscribed(context, account.id, trigger)

    during, asked = publish(context, event), check(context, event)
    pause(context, account.id, subscription.id)
    after = publish(context, event)

    assert [one.diverted for one in (before, during, asked, after)] == [False, True, True, False]


def test_checking_stores_nothing(context, account):
    subscribed(context, account.id, "changed_appointment")

    assert check(context, an_event_to()).deliveries == 1
    assert deliveries_of(context, account.id) == []
    assert context.doorbell.rings == 0


def test_the_accounts_switch_stops_everything(context, account):
    subscribed(context, account.id, "changed_appointment")
    change_account(context, ACCOUNT, AccountChange(enabled=False))

    answer = published(context)

    assert (answer.deliveries, answer.disposition) == (0, Disposition.ACCOUNT_OFF)


def test_the_products_own_api_is_silent_unless_it_says_notify(context, account):
    subscribed(context, account.id, "changed_appointment")

    silent = published(context, origin="api")
    loud = published(context, origin="api", notify=True)

    assert (silent.deliveries, silent.disposition) == (0, Disposition.SILENT)
    assert loud.deliveries == 1


def test_a_clock_that_was_set_back_loses_no_event(context, account):
    subscribed(context, account.id, "changed_appointment")
    context.clock.advance(-timedelta(seconds=1))

    assert published(context).deliveries == 1


def test_each_language_gets_its_own_words_and_the_same_wire_values(context):
    french = with_account(context, "salon-fr", language="fr")
    subscribed(context, french.id, "changed_appointment")

    published(context, account="salon-fr", data={"id": 1, "status_code": 10})

    [(_, payload)] = deliveries_of(context, french.id)
    assert (payload["event"], payload["status_code"]) == ("create", 10)
    assert payload["status_message"] != "Pay later"


# Collapsing


def an_update(status, **changes):
    data = SALES_ORDER | {"doc": {"status": status}}
    changes = {"event_type": "document.on_update", "data": data, "transaction": "tx1"} | changes
    return an_event_to(**changes)


def test_the_last_update_in_a_transaction_is_the_one_that_is_sent(context, account):
    subscribed(context, account.id, "on_update", resource_ids=("Sales Order",))

    answers = published_together(context, an_update("Draft"), an_update("Open"))

    [(_, payload)] = deliveries_of(context, account.id)
    assert payload["doc"]["status"] == "Open"
    assert [one.deliveries for one in answers] == [0, 1]
    assert [one.disposition for one in answers] == [Disposition.COLLAPSED, Disposition.OPEN]


def test_each_subscription_gets_the_last_update_that_passes_its_filter(context, account):
    wish = {"resource_ids": ("Sales Order",)}
    subscribed(context, account.id, "on_update", **wish)
    only_open = {"field": "doc.status", "op": "eq", "value": "Open"}
    subscribed(
        context, account.id, "on_update", url="https://b.example.com/", filters=only_open, **wish
    )

    answers = published_together(context, an_update("Open"), an_update("Closed"))

    sent = [payload["doc"]["status"] for _, payload in deliveries_of(context, account.id)]
    assert sorted(sent) == ["Closed", "Open"]
    assert [one.deliveries for one in answers] == [1, 1]


def test_updates_of_two_transactions_are_both_sent(context, account):
    subscribed(context, account.id, "on_update", resource_ids=("Sales Order",))

    published_together(context, an_update("Draft"), an_update("Open", transaction="tx2"))

    assert len(deliveries_of(context, account.id)) == 2


# Idempotency


def test_a_repeat_with_the_same_key_is_answered_the_same_and_sends_nothing(context, account):
    subscribed(context, account.id, "changed_appointment")

    first = published(context, idempotency_key="k1")
    second = published(context, idempotency_key="k1")

    assert second == replace(first, is_replay=True)
    assert len(deliveries_of(context, account.id)) == 1


def test_a_repeat_is_answered_even_when_the_event_would_be_refused_today(context, account):
    first = published(context, idempotency_key="k1")
    change_account(context, ACCOUNT, AccountChange(catalogs=("calls",)))

    assert published(context, idempotency_key="k1").id == first.id


def test_a_repeat_may_have_its_keys_in_another_order(context, account):
    first = published(context, idempotency_key="k1", data={"id": 1, "price": 2, "slot": {"id": 3}})

    second = published(context, idempotency_key="k1", data={"slot": {"id": 3}, "price": 2, "id": 1})

    assert second.id == first.id


def test_a_key_that_was_used_for_another_event_is_refused(context, account):
    published(context, idempotency_key="k1")

    with pytest.raises(IdempotencyConflictError):
        published(context, idempotency_key="k1", data={"id": 2})


def test_two_accounts_may_use_the_same_key(context, account):
    with_account(context, "salon-2")

    first = published(context, idempotency_key="k1")
    second = published(context, account="salon-2", idempotency_key="k1")

    assert first.id != second.id


def test_one_key_twice_in_a_batch_is_refused(context, account):
    event = an_event_to(idempotency_key="k1")

    with pytest.raises(InvalidRequestError) as refused:
        published_together(context, an_event_to(), event, event)

    at = [one.field for one in refused.value.problems]
    assert at == ["events.1.idempotency_key", "events.2.idempotency_key"]


def test_a_batch_may_repeat_some_events_and_bring_others(context, account):
    subscribed(context, account.id, "changed_appointment")
    old = published(context, idempotency_key="k1")

    answers = published_together(
        context, an_event_to(data={"id": 2}), an_event_to(idempotency_key="k1")
    )

    assert answers[1] == replace(old, is_replay=True)
    assert len(deliveries_of(context, account.id)) == 2


# Refusals


def problems(context, *events):
    with pytest.raises(InvalidRequestError) as refused:
        published_together(context, *events)
    return [(one.field, one.code) for one in refused.value.problems]


def test_one_bad_event_refuses_the_whole_batch_and_names_every_problem(context, account):
    found = problems(
        context,
        an_event_to(),
        an_event_to(account="nobody"),
        an_event_to(event_type="appointment.explode"),
        an_event_to(data={"price": "15"}),
        an_event_to(actor=Actor(role=6)),
    )

    assert found == [
        ("events.1.account", "unknown_account"),
        ("events.2.type", "unknown_type"),
        ("events.3.data.price", "wrong_type"),
        ("events.4.actor.role", "unknown_choice"),
    ]
    with context.store.read() as tx:
        assert tx.events(account.id, EventQuery(), limit=10, cursor=None).items == ()


def test_a_problem_in_an_attached_record_is_named_where_it_was_published(context, account):
    attached = an_event_to(event_type="form.new", data={"appointment": {"price": "15"}})

    assert problems(context, attached) == [("events.0.data.appointment.price", "wrong_type")]


def test_a_status_code_that_the_catalog_does_not_know_is_only_a_warning(context, account):
    answer = published(context, data={"id": 1, "status_code": 99})

    assert [(one.field, one.code) for one in answer.warnings] == [
        ("data.status_code", "unknown_choice")
    ]


@pytest.mark.parametrize(
    ("checks", "warnings"), [(PayloadChecks.WARN, ["wrong_type"]), (PayloadChecks.OFF, [])]
)
def test_a_deployment_may_accept_what_does_not_fit(context, account, checks, warnings):
    lenient = replace(context, rules=some_rules(payload_checks=checks))

    answer = published(lenient, data={"id": 1, "price": "15"})

    assert [one.code for one in answer.warnings] == warnings


def test_no_reference_can_pass_for_an_id_of_ours(context, account):
    with pytest.raises(InvalidRequestError):
        with_account(context, account.id)
