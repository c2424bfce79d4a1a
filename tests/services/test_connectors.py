"""What catalog.json says about a small registry that has one of everything."""

import json
from dataclasses import replace

import pytest

from app.core.catalogs import (
    Catalog,
    EventType,
    Registry,
    ResourceKind,
    Restriction,
    Subject,
    Trigger,
)
from app.core.errors import CatalogError
from app.core.fields import Choice, Field, FieldType, KeysFrom, Text
from app.services.connectors import Brand, zapier_catalog, zapier_catalog_text


def text(words):
    return Text(en=words, fr=f"{words} (fr)", ja=f"{words} (ja)")


def a_field(key, field_type=FieldType.STRING, **more):
    words = key.replace("_", " ").capitalize()
    return Field(key=key, type=field_type, label=text(words), **more)


ENVELOPE = (
    a_field("id", sample="evt_1"),
    a_field("trigger", sample="some_trigger"),
    a_field("event", sample="some_event"),
    a_field("role", FieldType.INTEGER, sample=3, help=text("Who caused the event.")),
    a_field("occurred_at", FieldType.DATETIME, sample="2026-03-09T14:00:00+01:00"),
    a_field("account", sample="atelier-bleu"),
)
ROLES = (Choice(value=3, label=text("Visitor")), Choice(value=5, label=text("Administrator")))
STATUSES = (Choice(value=2, label=text("Paid")), Choice(value=10, label=text("Pay later")))
ARRIVE = EventType(key="arrive", subject="visit", value="arrive", label=text("Arrived"))
LEAVE = EventType(key="leave", subject="visit", value="gone", label=text("Left"))
FIELDS = (
    a_field("notes", FieldType.TEXT, sample="Bring a mat."),
    a_field("born_on", FieldType.DATE, sample="1990-01-31"),
    a_field("price", FieldType.NUMBER, sample=45.5),
    a_field("first_time", FieldType.BOOLEAN, sample=True),
    a_field("status_code", FieldType.INTEGER, sample=10, choices=STATUSES),
    a_field("status_message", label_of="status_code"),
    a_field("mobile", optional=True, sample="+33 1 99 00 31 01"),
    a_field(
        "visitor",
        FieldType.OBJECT,
        fields=(a_field("name", sample="Inès"), a_field("nickname", optional=True)),
    ),
    a_field("tags", FieldType.LIST, item=FieldType.STRING, sample=["first", "paid"]),
    a_field(
        "answers",
        FieldType.LIST,
        fields=(a_field("question", sample="Why?"), a_field("score", FieldType.INTEGER, sample=3)),
        sample=[{"question": "How?"}, {"score": 5}],
    ),
    a_field("doc", FieldType.OBJECT, open=True, sample={"colour": "blue"}),
    a_field("custom_fields", FieldType.OBJECT, keys_from=KeysFrom.CUSTOM_FIELDS),
)
SUBJECT = Subject(
    key="visit",
    label=text("Visit"),
    record_id=a_field("visit_id", FieldType.INTEGER, sample=7, source="id"),
    fields=FIELDS,
    events={"arrive": ARRIVE, "leave": LEAVE},
)
ROOM = ResourceKind(
    key="room", label=text("Room"), plural=text("Rooms"), samples=(("51", "Yoga room", {}),)
)
TRIGGER = Trigger(
    key="changed_visit",
    catalog="visits",
    label=text("Changed visit"),
    help=text("Triggers when a visit changes."),
    noun=text("Visit"),
    subject="visit",
    events=(ARRIVE, LEAVE),
    filters=("event", "role", "status_code", "first_time", "price", "visitor.name"),
    restriction=Restriction(kind="room", field="room_id"),
)


def a_registry(*triggers, roles=ROLES):
    catalog = Catalog(
        key="visits",
        name=text("Visits"),
        description=text("Visits."),
        roles=roles,
        resources={"room": ROOM},
        subjects={"visit": SUBJECT},
        triggers={trigger.key: trigger for trigger in triggers or (TRIGGER,)},
    )
    return Registry(catalogs={"visits": catalog}, envelope=ENVELOPE)


def the_trigger(registry=None):
    [trigger] = zapier_catalog(registry or a_registry())["triggers"]
    return trigger


def output_field(key):
    return next(field for field in the_trigger()["output_fields"] if field["key"] == key)


def test_the_text_is_always_the_same():
    assert zapier_catalog_text(a_registry()) == zapier_catalog_text(a_registry())


def test_the_text_is_readable_json_that_ends_with_a_line_break():
    written = zapier_catalog_text(a_registry())

    assert written.startswith('{\n  "brand": {\n')
    assert written.endswith("}\n")
    assert "Inès" in written
    assert json.loads(written) == zapier_catalog(a_registry())


def test_a_brand_replaces_the_name_and_the_address():
    brand = Brand(name="Visits", base_url="https://hooks.example.com", help_url="https://h.example")

    written = zapier_catalog(a_registry(), brand)["brand"]

    assert written == {
        "name": "Visits",
        "base_url": "https://hooks.example.com",
        "help_url": "https://h.example",
    }


def test_a_trigger_is_described_in_english():
    trigger = the_trigger()

    assert (trigger["key"], trigger["catalog"]) == ("changed_visit", "visits")
    assert trigger["label"] == "Changed Visit"
    assert trigger["description"] == "Triggers when a visit changes."
    assert trigger["noun"] == "Visit"


def test_a_restricted_trigger_names_its_kind_of_resource():
    written = zapier_catalog(a_registry())

    assert written["triggers"][0]["resource"] == {
        "kind": "room",
        "field": "room_id",
        "required": False,
    }
    assert written["resources"] == [
        {
            "kind": "room",
            "list_key": "room_choices",
            "label": "Room",
            "plural": "Rooms",
            "help": None,
            "sample": {"id": "51", "label": "Yoga room"},
        }
    ]


def test_a_kind_of_resource_that_restricts_nothing_is_left_out():
    written = zapier_catalog(a_registry(replace(TRIGGER, restriction=None)))

    assert written["resources"] == []
    assert written["triggers"][0]["resource"] is None


def test_a_trigger_with_the_key_of_a_drop_down_is_refused():
    clash = replace(TRIGGER, key="room_choices")

    with pytest.raises(CatalogError, match="room_choices must be renamed"):
        zapier_catalog(a_registry(TRIGGER, clash))


def test_filters_with_a_closed_set_of_values_become_inputs():
    assert [offered["key"] for offered in the_trigger()["filters"]] == [
        "event",
        "role",
        "status_code",
        "first_time",
    ]


def test_a_filter_shows_the_labels_and_keeps_the_wire_values():
    event, role, _, first_time = the_trigger()["filters"]

    assert event["choices"] == [
        {"value": "arrive", "label": "Arrived"},
        {"value": "gone", "label": "Left"},
    ]
    assert role == {
        "key": "role",
        "field": "role",
        "label": "Role",
        "help": "Who caused the event.",
        "choices": [{"value": 3, "label": "Visitor"}, {"value": 5, "label": "Administrator"}],
    }
    assert [choice["value"] for choice in first_time["choices"]] == [True, False]


def test_a_filter_with_one_value_is_left_out():
    trigger = the_trigger(a_registry(replace(TRIGGER, events=(ARRIVE,))))

    assert "event" not in [offered["key"] for offered in trigger["filters"]]


def test_the_role_is_left_out_where_the_catalog_has_none():
    trigger = the_trigger(a_registry(roles=()))

    assert "role" not in [offered["key"] for offered in trigger["filters"]]
    assert "role" not in trigger["sample"]


def test_output_fields_are_flat_in_the_way_of_zapier():
    assert [field["key"] for field in the_trigger()["output_fields"]] == [
        "id",
        "trigger",
        "event",
        "role",
        "occurred_at",
        "account",
        "visit_id",
        "notes",
        "born_on",
        "price",
        "first_time",
        "status_code",
        "status_message",
        "visitor__name",
        "tags",
        "answers[]question",
        "answers[]score",
        "doc",
    ]


@pytest.mark.parametrize(
    ("key", "zapier_type"),
    [
        ("id", "string"),
        ("occurred_at", "datetime"),
        ("visit_id", "integer"),
        ("notes", "string"),
        ("born_on", "datetime"),
        ("price", "number"),
        ("first_time", "boolean"),
        ("tags", "string"),
        ("answers[]score", "integer"),
    ],
)
def test_types_are_those_that_zapier_knows(key, zapier_type):
    assert output_field(key)["type"] == zapier_type


def test_an_open_object_has_no_type_since_it_may_hold_anything():
    assert output_field("doc") == {"key": "doc", "label": "Doc"}


def test_a_list_of_plain_values_is_marked():
    assert output_field("tags")["list"] is True
    assert "list" not in output_field("answers[]score")


def test_only_fields_that_are_never_null_are_required():
    required = [field["key"] for field in the_trigger()["output_fields"] if field.get("required")]

    assert required == ["id", "trigger", "event", "occurred_at", "account"]


def test_the_sample_is_what_an_account_without_extras_gets():
    assert the_trigger()["sample"] == {
        "id": "evt_1",
        "trigger": "changed_visit",
        "event": "arrive",
        "role": 3,
        "occurred_at": "2026-03-09T14:00:00+01:00",
        "account": "atelier-bleu",
        "visit_id": 7,
        "notes": "Bring a mat.",
        "born_on": "1990-01-31",
        "price": 45.5,
        "first_time": True,
        "status_code": 10,
        "status_message": "Pay later",
        "visitor": {"name": "Inès"},
        "tags": ["first", "paid"],
        "answers": [{"question": "How?", "score": None}, {"question": None, "score": 5}],
        "doc": {},
    }
