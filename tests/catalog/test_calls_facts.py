"""What Dexem's help says of its webhooks, as tables."""

import pytest

from app.catalog import load_catalog
from app.catalog.load import DATA
from app.core.catalogs import Catalog, Restriction

WIRE_VALUES = [("cdr", "cdr"), ("call", "call"), ("user", "user")]

# (trigger, what "Restreindre à" offers, the payload field that holds its id)
RESTRICTIONS = [
    ("cdr", "tracking_number", "call.tracking_number_id"),
    ("call", "tracking_number", "call.tracking_number_id"),
    ("user", "call_user", "user.id"),
]

EVENT_TYPES = ["cdr.completed", "call.ringing", "audit.performed"]

# What is known of a call while it rings, and what only when it is over.
KNOWN_AT_ONCE = [
    "id", "direction", "caller", "caller_name", "tracking_number_id", "tracking_number",
    "tracking_label", "destination", "started_at", "status", "marketing",
]  # fmt: skip
KNOWN_AT_THE_END = {
    "answered_at", "ended_at", "ring_duration", "talk_duration", "duration", "missed_reason",
    "recording_url",
}  # fmt: skip

STATUSES = [
    ("call", ["ringing"]),
    ("cdr", ["answered", "missed", "voicemail", "busy", "failed"]),
]

AUDIT_FIELDS = ["user", "action", "object_type", "object_id", "changes", "ip"]
PERSONAL_OF_A_CALL = {"caller", "caller_name", "recording_url"}
OPTIONAL_OF_A_CALL = {"caller_name", "marketing"}


@pytest.fixture(scope="module")
def calls() -> Catalog:
    return load_catalog(DATA / "calls.yaml")


def _call_fields(catalog: Catalog, subject: str):
    (call,) = catalog.subjects[subject].fields
    return {field.key: field for field in call.fields}


@pytest.mark.parametrize(("trigger", "value"), WIRE_VALUES)
def test_a_trigger_sends_the_product_s_wire_value(calls, trigger, value):
    assert [event.value for event in calls.triggers[trigger].events] == [value]


def test_there_are_these_triggers_and_no_others(calls):
    assert list(calls.triggers) == [trigger for trigger, _ in WIRE_VALUES]


def test_publishers_know_the_events_by_these_names(calls):
    assert [event.name for event in calls.event_types()] == EVENT_TYPES


@pytest.mark.parametrize("trigger", ["cdr", "call", "user"])
def test_every_trigger_needs_webhooks_switched_on_for_the_account(calls, trigger):
    needs = [requirement.feature for requirement in calls.triggers[trigger].requires]

    assert needs == ["call_webhooks"]


def test_webhooks_are_off_until_the_account_activates_them(calls):
    assert calls.features["call_webhooks"].default is False


@pytest.mark.parametrize(("trigger", "kind", "field"), RESTRICTIONS)
def test_a_trigger_is_restricted_to_numbers_or_to_users(calls, trigger, kind, field):
    assert calls.triggers[trigger].restriction == Restriction(kind=kind, field=field)


def test_resources_are_named_as_in_the_product(calls):
    labels = {key: kind.label.fr for key, kind in calls.resources.items()}

    assert labels == {"tracking_number": "Numéro de tracking", "call_user": "Utilisateur"}


def test_a_ringing_call_holds_what_is_known_at_once(calls):
    assert list(_call_fields(calls, "call")) == KNOWN_AT_ONCE


def test_a_cdr_adds_how_the_call_ended(calls):
    cdr, call = _call_fields(calls, "cdr"), _call_fields(calls, "call")

    assert set(cdr) - set(call) == KNOWN_AT_THE_END
    assert set(call) <= set(cdr)


@pytest.mark.parametrize("key", [key for key in KNOWN_AT_ONCE if key != "status"])
def test_a_field_of_both_means_the_same_in_both(calls, key):
    assert _call_fields(calls, "cdr")[key] == _call_fields(calls, "call")[key]


@pytest.mark.parametrize(("subject", "values"), STATUSES)
def test_a_call_has_one_of_these_statuses(calls, subject, values):
    choices = _call_fields(calls, subject)["status"].choices

    assert [choice.value for choice in choices] == values


@pytest.mark.parametrize("path", ["call.direction", "call.status"])
def test_ends_of_calls_can_be_filtered_by_direction_and_status(calls, path):
    assert path in calls.triggers["cdr"].filters


def test_an_audit_record_says_who_did_what_to_which_object(calls):
    assert [field.key for field in calls.subjects["audit"].fields] == AUDIT_FIELDS


def test_the_changes_of_an_audit_record_are_any_object(calls):
    changes = next(field for field in calls.subjects["audit"].fields if field.key == "changes")

    assert changes.open


def test_what_says_who_called_is_personal(calls):
    fields = _call_fields(calls, "cdr").values()

    assert {field.key for field in fields if field.personal} == PERSONAL_OF_A_CALL


def test_callers_names_and_marketing_are_for_the_accounts_that_have_them(calls):
    fields = _call_fields(calls, "cdr").values()

    assert {field.key for field in fields if field.optional} == OPTIONAL_OF_A_CALL


def test_sample_numbers_are_reserved_for_fiction(calls):
    fields = _call_fields(calls, "cdr").values()
    numbers = [field.sample for field in fields if field.format == "phone"]

    assert len(numbers) == 3
    assert all(number.startswith("+331990") for number in numbers)


def test_no_origin_is_silent_and_nothing_diverts_or_collapses(calls):
    assert calls.silent_origins == ()
    assert not any(event.diverts for event in calls.event_types())
    assert not any(subject.collapses for subject in calls.subjects.values())


def test_the_product_has_no_roles(calls):
    assert calls.roles == ()
