"""Triggers, fields and schemas as one account sees them, in its reader's language."""

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.api.field_lists import fields_of
from app.core.fields import Field, FieldType, Text
from tests.api.site import TARGET, codes_of
from tests.contexts import the_registry

TRIGGERS = [trigger.key for trigger in the_registry().triggers()]
OVERLAY = {
    "optional_fields": {"appointment": ["mobile"]},
    "custom_fields": [
        {
            "subject": "user",
            "key": "card",
            "type": "string",
            "label": "Carte",
            "choices": ["gold", "blue"],
        }
    ],
    "forms": [
        {
            "id": "714",
            "name": "Health",
            "subject": "form",
            "resource_id": "714",
            "fields": [{"key": "allergies", "type": "text", "label": "Allergies"}],
        }
    ],
}


def _fields(site, trigger, query=""):
    answer = site.get(f"/triggers/{trigger}/fields{query}")
    return {one["key"]: one for one in answer.json["data"]}


def test_all_triggers_of_the_accounts_catalogs_are_listed(site):
    site.call("PATCH", "/accounts/salon-2", {"catalogs": ["calls"]}, key=site.publisher)

    every = [one["key"] for one in site.get("/triggers").json["data"]]
    calls = [one["key"] for one in site.get("/triggers", key=site.other.key).json["data"]]

    assert every == TRIGGERS
    assert calls == ["cdr", "call", "user"]
    assert site.get("/triggers/new_user", key=site.other.key).status_code == 404


def test_a_trigger_says_what_it_is(site):
    trigger = site.get("/triggers/changed_appointment").json

    assert trigger["catalog"] == "bookings"
    assert trigger["available"] is True
    assert trigger["unavailable_reason"] is None
    assert trigger["resource_kind"] == "schedule"
    assert trigger["resource_required"] is False
    assert {"value": "destroy", "label": "Deleted", "type": "appointment.destroy"} in trigger[
        "events"
    ]
    assert "status_code" in trigger["filters"]
    assert trigger["diverts"] is False
    assert site.get("/triggers/reminder").json["diverts"] is True
    assert site.get("/triggers/on_update").json["resource_required"] is True


def test_an_unavailable_trigger_says_why_in_the_readers_language(site):
    site.call(
        "PATCH", "/accounts/salon-1", {"features": {"login_required": False}}, key=site.publisher
    )

    english = site.get("/triggers/new_user").json
    french = site.get("/triggers/new_user?language=fr").json

    assert english["available"] is french["available"] is False
    assert english["unavailable_reason"]
    assert english["unavailable_reason"] != french["unavailable_reason"]


def test_labels_follow_the_language_and_values_do_not(site):
    asked = {
        language: site.get("/triggers", headers={"Accept-Language": language}).json["data"]
        for language in ("en", "fr", "ja")
    }

    labels = {language: [one["label"] for one in data] for language, data in asked.items()}
    values = {
        language: [event["value"] for one in data for event in one["events"]]
        for language, data in asked.items()
    }
    assert labels["en"] != labels["fr"] != labels["ja"]
    assert values["en"] == values["fr"] == values["ja"]


def test_the_query_goes_before_the_header(site):
    answer = site.get("/triggers/new_user?language=ja", headers={"Accept-Language": "fr"})

    assert answer.json == site.get("/triggers/new_user?language=ja").json


def test_an_unknown_trigger_names_those_that_exist(site):
    answer = site.get("/triggers/nope")

    assert answer.status_code == 404
    assert "changed_appointment" in answer.json["detail"]


def test_fields_are_flat_and_say_where_they_come_from(site):
    site.overlay(**OVERLAY)
    appointment = _fields(site, "changed_appointment")
    user, form = _fields(site, "changed_user"), _fields(site, "changed_form")

    assert appointment["event"]["source"] == "envelope"
    assert appointment["appointment_id"]["source"] == "catalog"
    assert appointment["mobile"]["source"] == "catalog"
    assert user["custom_fields.card"]["source"] == "custom_field"
    [answer] = [one for key, one in form.items() if key.endswith("allergies")]
    assert answer["source"] == "form"
    assert user["custom_fields.card"]["label"] == "Carte"


def test_fields_offer_their_choices_and_operators(site):
    event = _fields(site, "changed_appointment", "?language=fr")["event"]
    price = _fields(site, "changed_appointment")["price"]

    assert event["filterable"] is True
    assert {"value": "destroy", "label": "Supprimé"} in event["choices"]
    assert "gte" in price["operators"]
    assert price["choices"] == []
    assert price["type"] == "number"


def test_nested_fields_have_dotted_keys(site):
    fields = _fields(site, "link_clicked")

    assert fields["contact.campaign.campaign_id"]["filterable"] is True
    assert "contact" not in fields
    assert _fields(site, "email_sent")["to"]["list"] is True


def test_a_list_of_objects_is_one_field_with_children():
    def field(key, kind, *fields):
        return Field(key=key, type=kind, label=Text(en=key, fr=key, ja=key), fields=fields)

    email = field("to", FieldType.OBJECT, field("email", FieldType.STRING))
    rows = field("rows", FieldType.LIST, field("price", FieldType.NUMBER), email)
    trigger = the_registry().trigger("email_sent")

    [listed] = fields_of(the_registry(), trigger, (rows,), "en")

    assert (listed["key"], listed["list"], listed["type"]) == ("rows", True, "list")
    assert [one["key"] for one in listed["children"]] == ["price", "to.email"]


def test_fields_of_other_resources_are_left_out(site):
    site.overlay(**OVERLAY)

    own = _fields(site, "changed_form", "?resource_id=714")
    others = _fields(site, "changed_form", "?resource_id=715")

    assert set(own) - set(others)
    assert not any(key.endswith("allergies") for key in others)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_samples_fields_and_schema_agree(site, trigger):
    site.overlay(**OVERLAY)

    schema = site.get(f"/triggers/{trigger}/schema").json
    [sample] = site.get(f"/triggers/{trigger}/samples").json
    fields = _fields(site, trigger)

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(sample)
    assert list(sample) == list(schema["properties"])
    assert {key.partition(".")[0] for key in fields} == set(sample)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_delivery_has_the_keys_that_the_sample_promised(site, trigger):
    site.overlay(**OVERLAY)
    example = site.get(f"/triggers/{trigger}/example").json
    [promised] = site.get(f"/triggers/{trigger}/samples").json
    kind = site.get(f"/triggers/{trigger}").json["resource_kind"]
    required = site.get(f"/triggers/{trigger}").json["resource_required"]
    resource_ids = []
    if required:
        resource_ids = [str(example["data"]["doctype"])]
        site.put_resources(kind, *resource_ids, submittable=True, workflow=True)
    wish = {"trigger": trigger, "target_url": TARGET, "resource_ids": resource_ids}
    made = site.post("/subscriptions", wish)
    assert made.status_code == 201, made.json

    published = site.post("/events", example, key=site.publisher)

    assert published.status_code == 202, published.json
    assert published.json["deliveries"] == 1
    [delivery] = site.get("/deliveries").json["data"]
    payload = site.get(f"/deliveries/{delivery['id']}").json["payload"]
    schema = site.get(f"/triggers/{trigger}/schema").json
    assert _keys(payload) == _keys(promised)
    Draft202012Validator(schema).validate(payload)


def test_custom_fields_are_everywhere(site):
    site.overlay(**OVERLAY)
    site.subscribe(trigger="changed_user")
    data = {"id": 1, "custom_fields": {"card": "gold"}}

    site.publish(type="user.change", data=data)

    [sample] = site.get("/triggers/changed_user/samples").json
    schema = site.get("/triggers/changed_user/schema").json
    delivery_id = site.get("/deliveries").json["data"][0]["id"]
    payload = site.get(f"/deliveries/{delivery_id}").json["payload"]
    assert sample["custom_fields"] == payload["custom_fields"] == {"card": "gold"}
    card = schema["properties"]["custom_fields"]["properties"]["card"]
    assert card["examples"] == ["gold", "blue"]


def test_a_resource_id_parameter_has_a_limit(site):
    query = "&".join(f"resource_id={number}" for number in range(101))

    answer = site.get(f"/triggers/new_form/fields?{query}")

    assert codes_of(answer) == {"resource_id": "invalid"}


def _keys(value):
    """Return the keys of an object, and of the objects in it."""
    if isinstance(value, dict):
        return {key: _keys(inner) for key, inner in value.items()}
    return None
