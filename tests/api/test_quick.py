"""Reading quickly and reading by the schema: the same values, or the schema decides."""

import marshmallow as ma
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import validate

from app.api.schemas.events import EventBatchSchema, NewEventSchema, PublishedBatchSchema
from app.api.schemas.fields import ListOf, Text
from app.api.schemas.quick import UNSURE, quick_reader
from app.core.jsontext import ExactNumber
from tests.api.site import APPOINTMENT

SCHEMA = NewEventSchema()
READ = quick_reader(SCHEMA)
PLAIN = {"account": "salon-1", "type": "appointment.create", "data": APPOINTMENT}
FULL = PLAIN | {
    "occurred_at": "2026-02-28T10:00:00+01:00",
    "actor": {"role": 4, "id": "u1", "name": "Ann"},
    "origin": "api",
    "notify": True,
    "idempotency_key": "k1",
    "transaction": "t1",
}
HOSTILE = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    1.5,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**70,
    ExactNumber("1.50"),
    ExactNumber("3.0"),
    "",
    " ",
    "x",
    "x" * 100,
    "x" * 101,
    "x" * 200,
    "x" * 201,
    "x" * 255,
    "x" * 256,
    "x" * 300,
    "x" * 301,
    "é" * 200,
    "yes",
    "true",
    "12",
    "2026-02-28T10:00:00Z",
    "2026-02-28T10:00:00",
    "2026-02-28",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    [],
    ["x"],
    {},
    {"role": 3},
    {"role": None},
    {"role": "3"},
    {"role": True},
    {"role": 2**31},
    {"role": 3.0},
    {"id": "u" * 201},
    {"id": 7},
    {"name": ""},
    {"admin": True},
    {"": 1},
]


def by_the_schema(schema, given):
    try:
        return ma.Schema.load(schema, given, unknown=ma.RAISE)
    except ma.ValidationError:
        return UNSURE


def agrees(read, schema, given):
    """What is read quickly is what the schema reads; else the schema is asked anyway."""
    quickly = read(given)
    return quickly is UNSURE or quickly == by_the_schema(schema, given)


@pytest.mark.parametrize("event", [PLAIN, FULL, FULL | {"actor": None, "occurred_at": None}])
def test_a_good_event_is_read_quickly_and_alike(event):
    assert READ(event) is not UNSURE
    assert READ(event) == by_the_schema(SCHEMA, event)


@pytest.mark.parametrize("name", [*FULL, "surprise", ""])
@pytest.mark.parametrize("value", HOSTILE, ids=lambda one: repr(one)[:30])
def test_no_value_of_any_field_is_read_otherwise_than_by_the_schema(name, value):
    assert agrees(READ, SCHEMA, FULL | {name: value})


@pytest.mark.parametrize("name", FULL)
def test_what_is_left_out_is_read_as_by_the_schema(name):
    assert agrees(READ, SCHEMA, {key: one for key, one in FULL.items() if key != name})


@pytest.mark.parametrize("value", HOSTILE, ids=lambda one: repr(one)[:30])
def test_what_is_no_event_is_left_to_the_schema(value):
    assert READ(value) is UNSURE


values = st.sampled_from(HOSTILE) | st.integers() | st.floats() | st.text()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*FULL, "surprise"]), values), st.booleans())
def test_events_of_any_kind_are_read_alike(changes, is_whole):
    assert agrees(READ, SCHEMA, (FULL if is_whole else {}) | changes)


@pytest.mark.parametrize("count", [0, 1, 100, 101])
@pytest.mark.parametrize("last", [PLAIN, FULL | {"notify": 1}, None])
def test_a_batch_is_read_as_by_the_schema(count, last):
    schema = EventBatchSchema()
    batch = {"events": [PLAIN] * (count - 1) + [last] * (count > 0)}

    assert agrees(quick_reader(schema), schema, batch)
    assert (quick_reader(schema)(batch) is not UNSURE) == (count in (1, 100) and last is PLAIN)


def test_a_good_batch_never_reaches_the_slow_reader(monkeypatch):
    monkeypatch.setattr(ma.Schema, "_do_load", None)

    loaded = EventBatchSchema().load({"events": [PLAIN, FULL]})

    assert [one["notify"] for one in loaded["events"]] == [False, True]


def test_a_schema_that_cannot_be_read_quickly_says_so():
    class Odd(ma.Schema):
        key = Text(validate=[validate.Regexp("a")])

    for schema in (
        Odd(),
        PublishedBatchSchema(),
        ma.Schema.from_dict({"a": ListOf(ma.fields.Raw())})(),
    ):
        with pytest.raises(TypeError, match="quickly"):
            quick_reader(schema)


def test_the_answers_are_what_the_schemas_say(site):
    site.subscribe()
    single = site.publish(data=APPOINTMENT | {"surprise": 1})
    batch = site.post("/events/batch", {"events": [site.an_event()]}, key=site.publisher)

    for answer, schema in ((single, "PublishedSchema"), (batch, "PublishedBatchSchema")):
        made = ma.class_registry.get_class(f"app.api.schemas.events.{schema}")()
        assert made.dump(answer.json) == answer.json
        assert answer.content_type == "application/json"
    assert single.json["warnings"][0]["code"] == "unknown_field"
