"""One serializer: every field of the shape, always, with the catalog's example."""

import jsonschema
import pytest

from app.catalog import load_registry
from app.core.accounts import CustomField, Form, Overlay
from app.core.fields import FieldType
from app.core.payloads import Envelope, payload, payload_maker
from app.core.samples import sample_data
from app.core.schemas import payload_schema
from app.core.shapes import data_shape, flatten, narrowing, shape_of_trigger
from tests.builders import a_custom_field

REGISTRY = load_registry()
TRIGGERS = list(REGISTRY.triggers())
BARE = Overlay()
ENVELOPE = Envelope(
    id="evt_1",
    trigger="changed_appointment",
    event="edit",
    role=3,
    occurred_at="2031-03-04T18:00:00.000Z",
    account="salon-1",
)


def rich_overlay(subject):
    """An overlay that uses everything the subject allows."""
    catalog = next(one for one in REGISTRY.catalogs.values() if subject in one.subjects)
    fields = catalog.subjects[subject].fields
    optional = frozenset(f"{subject}.{path}" for path, one in flatten(fields) if one.optional)
    level = CustomField(subject=subject, key="level", type=FieldType.STRING, label="Level")
    breed = a_custom_field(subject=subject, key="breed", resource_id="7")
    form = Form(id="f1", name="Intake", subject=subject, fields=(level,))
    return Overlay(optional_fields=optional, custom_fields=(level, breed), forms=(form,))


def shape(key, overlay=BARE, resource_ids=()):
    return shape_of_trigger(REGISTRY, REGISTRY.trigger(key), overlay, resource_ids)


def made(key, data, overlay=BARE, language="en"):
    return payload(ENVELOPE, data, shape=shape(key, overlay), language=language)


def keys_of(value):
    """The keys of nested objects, deeply; lists by their first element."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return None


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda one: one.key)
@pytest.mark.parametrize("overlay_of", [lambda _: BARE, rich_overlay], ids=["bare", "rich"])
def test_an_empty_record_has_the_same_keys_as_a_full_one(trigger, overlay_of):
    overlay = overlay_of(trigger.subject)
    catalog = REGISTRY.catalogs[trigger.catalog]
    full_data = sample_data(data_shape(catalog, catalog.subjects[trigger.subject], overlay))
    open_keys = {one.key for one in shape(trigger.key, overlay) if one.open}

    empty = made(trigger.key, {}, overlay)
    full = made(trigger.key, full_data, overlay)

    assert list(empty) == list(full)
    assert {k: v for k, v in keys_of(empty).items() if k not in open_keys} == {
        k: v for k, v in keys_of(full).items() if k not in open_keys
    }


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda one: one.key)
@pytest.mark.parametrize("overlay_of", [lambda _: BARE, rich_overlay], ids=["bare", "rich"])
def test_every_payload_follows_its_json_schema(trigger, overlay_of):
    overlay = overlay_of(trigger.subject)
    fields = shape(trigger.key, overlay)
    schema = payload_schema(fields, title=trigger.label.en)
    data = sample_data(fields)
    envelope = ENVELOPE._replace(trigger=trigger.key, event=trigger.events[0].value)

    checker = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )

    for one in ({}, data):
        checker.validate(payload(envelope, one, shape=fields, language="en"))


def test_a_schema_refuses_what_a_payload_never_holds():
    fields = shape("changed_appointment")
    schema = jsonschema.Draft202012Validator(payload_schema(fields, title="x"))
    good = made("changed_appointment", {"id": 1})

    for bad in (
        {**good, "schedule_id": "text"},
        {**good, "event": "nouveau"},
        {**good, "surprise": 1},
        {key: value for key, value in good.items() if key != "role"},
    ):
        assert not schema.is_valid(bad)


def test_a_payload_is_flat_topped_and_begins_with_the_envelope():
    sent = made("changed_appointment", {"id": 880143, "schedule_id": 51423})

    assert list(sent)[:7] == [
        "id",
        "trigger",
        "event",
        "role",
        "occurred_at",
        "account",
        "appointment_id",
    ]
    assert (sent["id"], sent["appointment_id"], sent["schedule_id"]) == ("evt_1", 880143, 51423)


def test_a_catalog_without_roles_sends_no_role():
    assert "role" not in made("cdr", {})


def test_the_users_own_role_is_not_the_actors():
    sent = made("changed_user", {"id": 1, "role": 4})

    assert (sent["role"], sent["user_role"]) == (3, 4)


def test_an_absent_object_has_null_leaves():
    sent = made("changed_appointment", {"id": 1, "slot": None})

    assert isinstance(sent["slot"], dict)
    assert set(map(type, sent["slot"].values())) == {type(None)}


def test_the_status_message_is_the_codes_label_in_the_accounts_language():
    code = {"id": 1, "status_code": 10, "status_message": "whatever"}

    english = made("changed_appointment", code)["status_message"]
    french = made("changed_appointment", code, language="fr")["status_message"]

    assert english == "Pay later"
    assert french not in ("Pay later", "whatever")


def test_a_status_code_that_nobody_knows_keeps_the_published_message():
    sent = made("changed_appointment", {"id": 1, "status_code": 99, "status_message": "Refunded"})

    assert (sent["status_code"], sent["status_message"]) == (99, "Refunded")


def test_an_optional_field_is_sent_only_where_the_account_enables_it():
    data = {"id": 1, "mobile": "+33199001122"}
    enabled = Overlay(optional_fields=frozenset({"appointment.mobile"}))

    assert "mobile" not in made("changed_appointment", data)
    assert made("changed_appointment", data, enabled)["mobile"] == "+33199001122"


def test_custom_fields_and_form_answers_travel_in_their_objects():
    overlay = rich_overlay("appointment")
    data = {
        "id": 1,
        "custom_fields": {"level": "beginner", "other": 1},
        "form": {"id": 331, "answers": {"level": "expert", "other": 1}},
    }

    sent = made("changed_appointment", data, overlay)

    assert sent["custom_fields"] == {"level": "beginner", "breed": None}
    assert sent["form"]["answers"] == {"level": "expert"}


def test_an_account_without_custom_fields_has_no_empty_object_for_them():
    assert "custom_fields" not in made("changed_appointment", {"id": 1})


def test_fields_of_other_resources_are_left_out_of_a_restricted_shape():
    overlay = rich_overlay("appointment")

    def custom(resource_ids):
        fields = dict(flatten(shape("changed_appointment", overlay, resource_ids)))
        return [path for path in fields if path.startswith("custom_fields.")]

    assert custom(()) == ["custom_fields.level", "custom_fields.breed"]
    assert custom(("7",)) == ["custom_fields.level", "custom_fields.breed"]
    assert custom(("8",)) == ["custom_fields.level"]


def test_resources_narrow_a_shape_only_where_a_field_belongs_to_one():
    assert narrowing(BARE, ["7"]) == ()
    assert narrowing(rich_overlay("appointment"), ["7"]) == ("7",)


def test_an_open_object_passes_what_nothing_declares():
    sent = made("on_update", {"name": "SO-1", "doc": {"grand_total": 120.5, "items": [{"a": 1}]}})

    assert sent["doc"] == {"grand_total": 120.5, "items": [{"a": 1}]}


def test_what_the_catalog_does_not_know_is_not_sent():
    assert "internal_note" not in made("changed_appointment", {"id": 1, "internal_note": "x"})


def test_what_one_record_said_is_not_in_the_next_payload():
    make = payload_maker(shape("changed_appointment", rich_overlay("appointment")), "en")
    first = make(ENVELOPE, {"id": 1, "slot": {"id": 7}, "custom_fields": {"level": "expert"}})

    second = make(ENVELOPE, {"id": 2})

    assert (first["slot"]["id"], first["custom_fields"]["level"]) == (7, "expert")
    assert (second["slot"]["id"], second["custom_fields"]["level"]) == (None, None)
    assert second == payload(
        ENVELOPE,
        {"id": 2},
        shape=shape("changed_appointment", rich_overlay("appointment")),
        language="en",
    )


@pytest.mark.parametrize("code", [[10], {"10": 1}, True, 10.0, None])
def test_a_code_of_any_kind_has_the_label_of_what_it_equals(code):
    sent = made("changed_appointment", {"id": 1, "status_code": code, "status_message": "As is"})

    assert sent["status_message"] == ("Pay later" if code == 10 else "As is")
