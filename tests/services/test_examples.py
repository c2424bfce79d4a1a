"""Examples suit the event they are of: in samples, in fields, and for publishers."""

import pytest

from app.core.shapes import flatten
from app.services.connectors import zapier_catalog
from app.services.samples import SampleQuery, SampleSource, samples
from app.services.triggers import publishable_example, trigger_shape
from tests.services.steps import with_account


@pytest.fixture
def account(context):
    return with_account(context)


def example_of(context, account, trigger, **query):
    found = samples(context, account.id, trigger, SampleQuery(**query))
    assert found.source is SampleSource.EXAMPLE
    [payload] = found.payloads
    return payload


def field_samples(context, account, trigger):
    shape = trigger_shape(context, account.id, trigger)
    return {path: field.sample for path, field in flatten(shape)}


def test_an_example_is_of_the_triggers_first_event(context, account):
    payload = example_of(context, account, "on_cancel")

    assert (payload["event"], payload["docstatus"]) == ("on_cancel", 2)
    assert payload["previous_workflow_state"] is None


def test_an_example_is_of_the_event_that_is_asked_for(context, account):
    created = example_of(context, account, "changed_appointment")
    deleted = example_of(context, account, "changed_appointment", filters={"event": "destroy"})

    assert (created["event"], created["deleted"]) == ("create", False)
    assert (deleted["event"], deleted["deleted"]) == ("destroy", True)


def test_a_choice_wins_over_the_sample_of_the_event(context, account):
    wanted = {"event": ["revert"], "role": [4], "status_code": [2]}

    payload = example_of(context, account, "changed_appointment", filters=wanted)

    assert (payload["event"], payload["role"], payload["status_code"]) == ("revert", 4, 2)


def test_a_status_message_says_what_the_events_code_means(context, account):
    payload = example_of(context, account, "changed_appointment", filters={"event": "revert"})

    assert (payload["role"], payload["status_code"]) == (5, 35)
    assert payload["status_message"] == "Payment received but reverted by administrator"


@pytest.mark.parametrize(("trigger", "role"), [("reminder", 7), ("new_user", 3), ("cdr", None)])
def test_an_example_is_caused_by_who_causes_such_events(context, account, trigger, role):
    published = publishable_example(context, account.id, trigger)
    payload = example_of(context, account, trigger)

    assert (published.role, payload.get("role")) == (role, role)


def test_what_a_publisher_sends_as_an_example_suits_its_event(context, account):
    example = publishable_example(context, account.id, "workflow_transition")

    assert example.type == "document.workflow_transition"
    assert example.data["previous_workflow_state"] == "Draft"
    assert example.data["workflow_action"] == "Request Approval"


def test_the_fields_of_a_trigger_have_the_samples_of_its_first_event(context, account):
    cancelled = field_samples(context, account, "on_cancel")
    reminder = field_samples(context, account, "reminder")

    assert (cancelled["trigger"], cancelled["event"]) == ("on_cancel", "on_cancel")
    assert (cancelled["docstatus"], cancelled["workflow_state"]) == (2, "Cancelled")
    assert (reminder["event"], reminder["role"]) == ("reminder", 7)


def test_the_static_samples_of_zapier_suit_their_events(context):
    written = zapier_catalog(context.registry)["triggers"]
    found = {trigger["key"]: trigger["sample"] for trigger in written}

    assert found["on_submit"]["docstatus"] == 1
    assert found["on_submit"]["workflow_action"] is None
    assert found["workflow_transition"]["workflow_action"] == "Request Approval"
    assert found["follow_up"]["role"] == 7
