"""Every way to get a catalog wrong is told, with its place and in plain words."""

import json

import jsonschema
import pytest
from catalog_files import GONE, PARCELS, ROOT, parcels, said, words, write
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalog import catalog_schema, load_catalog, shape
from app.catalog.build import build_catalog
from app.catalog.check import check_catalog, check_envelope
from app.catalog.check_fields import ENVELOPE_KEYS
from app.catalog.shape import SCHEMA_FILE
from app.core.errors import CatalogError

FIELDS = ("subjects", "parcel", "fields")
DELIVERED = ("triggers", "parcel_delivered")
SCAN = ("subjects", "parcel", "events", "scan")
KEY_RULE = "use lower case letters, digits and underscores, a letter first"

SHAPES = [
    (("name",), GONE, "", "lacks name; add what is missing"),
    (("name", "ja"), GONE, "name", "lacks ja; add what is missing"),
    (("name", "de"), "Pakete", "name.de", "is not known here; use one of en, fr, ja"),
    (("name",), "Parcels", "name", 'must be a mapping of keys, not "Parcels"'),
    (("name", "fr"), "", "name.fr", "must not be empty; write some text"),
    (("subject",), {}, "subject", "is not known here; did you mean subjects?"),
    (("subjects",), {}, "subjects", "must not be empty; add at least one"),
    (("triggers",), [], "triggers", "must be a mapping of keys, not []"),
    ((*DELIVERED, "events"), [], "triggers.parcel_delivered.events",
     "must not be empty; add at least one"),
    ((*DELIVERED, "events"), ["scan", "scan"], "triggers.parcel_delivered.events",
     "holds the same entry twice; keep one"),
    ((*DELIVERED, "label", "en"), "P" * 61, "triggers.parcel_delivered.label.en",
     "has 61 characters; shorten it to 60 at most"),
    ((*FIELDS, 0, "type"), "str", "subjects.parcel.fields[0].type",
     '"str" is not one of string, text, integer, number, boolean, datetime, date, object, list'),
    (("catalog",), "Parcels", "catalog", f'"Parcels" is not allowed; {KEY_RULE}'),
    (("catalog",), "parcels\n", "catalog", f'"parcels\\n" is not allowed; {KEY_RULE}'),
    (("features", "Live Tracking"), {"label": words("x"), "default": True},
     "features.Live Tracking", f'"Live Tracking" is not allowed; {KEY_RULE}'),
    ((*SCAN, "samples"), ["delivered"], "subjects.parcel.events.scan.samples",
     'must be a mapping of keys, not ["delivered"]'),
    ((*SCAN, "samples"), {"recipient..name": None},
     "subjects.parcel.events.scan.samples.recipient..name",
     '"recipient..name" is not allowed; write keys joined by dots, such as slot.title'),
    (("features", "tracking", "default"), "yes", "features.tracking.default",
     'must be true or false, not "yes"'),
    (("enumerations", "parcel_status", 0, "value"), 1.5, "enumerations.parcel_status[0].value",
     "must be text or a whole number, not 1.5"),
    (("resources", "parcel_number", "samples", 0, "id"), 204,
     "resources.parcel_number.samples[0].id", "must be text, not 204"),
    (("silent_origins",), [{"origin": "import", "reason": words("x"), "events": ["scan"]}],
     "silent_origins[0].events[0]",
     '"scan" is not allowed; write <subject>.<event>, such as appointment.create'),
]  # fmt: skip

FIELD_RULES = [
    ({"key": "role", "sample": "x"}, "key",
     "role is reserved; choose another key and keep this one as its source"),
    ({"key": "parcel_id"}, "key",
     "parcel_id is reserved; choose another key and keep this one as its source"),
    ({"key": "relais_x"}, "key",
     "relais_x is reserved; choose another key and keep this one as its source"),
    ({"key": "status"}, "key", "status is there twice; keep one"),
    ({"sample": GONE}, "", "lacks sample; write a realistic value, or null"),
    ({"sample": 5}, "sample", "must be text; write quotes around digits"),
    ({"type": "integer", "sample": "5"}, "sample", "must be a whole number"),
    ({"type": "integer", "sample": True}, "sample", "must be a whole number"),
    ({"type": "integer", "sample": 1.5}, "sample", "must be a whole number"),
    ({"type": "number", "sample": "1"}, "sample", "must be a number"),
    ({"type": "boolean", "sample": 0}, "sample", "must be true or false"),
    ({"type": "date", "sample": "2026-3-9"}, "sample", "must be a date, such as 2026-03-09"),
    ({"type": "datetime", "sample": "2026-03-09T14:00:00"}, "sample",
     "must be ISO 8601 with an offset, such as 2026-03-09T14:00:00+01:00"),
    ({"type": "datetime", "sample": 20260309}, "sample",
     "must be ISO 8601 with an offset, such as 2026-03-09T14:00:00+01:00"),
    ({"format": "email", "sample": "ines"}, "sample", "is not in the format email"),
    ({"format": "country", "sample": "France"}, "sample", "is not in the format country"),
    ({"type": "integer", "format": "url", "sample": 1}, "format",
     "is only for fields of type string and text"),
    ({"open": True}, "open", "is only for fields of type object"),
    ({"keys_from": "forms"}, "keys_from", "is only for fields of type object"),
    ({"item": "string"}, "item", "is only for fields of type list"),
    ({"type": "object", "sample": GONE}, "",
     "an object needs fields, keys_from or open: true"),
    ({"type": "object", "open": True, "sample": []}, "sample", "must be a mapping of keys"),
    ({"type": "list", "sample": []}, "", "a list needs either item or fields"),
    ({"type": "list", "item": "string", "sample": [1]}, "sample",
     "each entry must be text; write quotes around digits"),
    ({"choices": "colour"}, "choices",
     "there is no enumeration colour; declare it under enumerations"),
    ({"choices": "parcel_status", "sample": "lost"}, "sample",
     "lost is not a value of the enumeration parcel_status"),
    ({"label_of": "weight_grams"}, "label_of", "there is no sibling weight_grams with choices"),
    ({"label_of": "status", "sample": "Livré"}, "sample",
     "must be the English label of the sample of status: Delivered"),
]  # fmt: skip

NAMES = [
    ((*DELIVERED, "subject"), "letter", "triggers.parcel_delivered.subject",
     "there is no subject letter; declare it under subjects"),
    ((*DELIVERED, "events"), ["lose"], "triggers.parcel_delivered.events[0]",
     "parcel has no event lose; use one of scan, deliver, return"),
    ((*DELIVERED, "filters"), ["recipient"], "triggers.parcel_delivered.filters[0]",
     "the payload of parcel has no single value at recipient; use the path of a field"),
    ((*DELIVERED, "filters"), ["role"], "triggers.parcel_delivered.filters[0]",
     "the payload of parcel has no single value at role; use the path of a field"),
    ((*DELIVERED, "restriction", "field"), "number",
     "triggers.parcel_delivered.restriction.field",
     "the payload of parcel has no single value at number; use the path of a field"),
    ((*DELIVERED, "restriction", "kind"), "depot", "triggers.parcel_delivered.restriction.kind",
     "there is no resource kind depot; declare it under resources"),
    ((*DELIVERED, "restriction", "requirements"),
     [{"attribute": "insured", "equals": True, "reason": words("x")}],
     "triggers.parcel_delivered.restriction.requirements[0].attribute",
     "the resource kind has no attribute insured"),
    (("triggers", "parcel_moved", "requires", 0, "feature"), "radar",
     "triggers.parcel_moved.requires[0].feature",
     "there is no feature radar; declare it under features"),
    (("requires",), [{"feature": "radar", "reason": words("x")}], "requires[0].feature",
     "there is no feature radar; declare it under features"),
    (("silent_origins",), [{"origin": "x", "reason": words("x"), "events": ["parcel.lose"]}],
     "silent_origins[0].events[0]",
     "there is no event type parcel.lose; declare it under subjects"),
    (("enumerations", "parcel_status", 1, "value"), "in_transit",
     "enumerations.parcel_status[1].value", "in_transit is there twice; keep one"),
    (("subjects", "parcel", "events", "scan", "value"), "delivered",
     "subjects.parcel.events.deliver",
     "has the wire value delivered of scan; receivers cannot tell them apart"),
    (("subjects", "parcel", "record_id", "sample"), 7041, "subjects.parcel.record_id.sample",
     "must be text; write quotes around digits"),
    (("subjects", "parcel", "attachments"),
     [{"parent": "van", "event_type": "van.drive", "field": "load"}],
     "subjects.parcel.attachments[0].event_type",
     "there is no event type van.drive; declare it under subjects"),
    (("subjects", "parcel", "attachments"),
     [{"parent": "parcel", "event_type": "parcel.scan", "field": "recipient"}],
     "subjects.parcel.attachments[0].event_type",
     "a record cannot be attached to its own subject; name another one"),
    (("resources", "parcel_number", "attributes"),
     {"heavy": {"type": "boolean", "label": words("Heavy"), "default": "no"}},
     "resources.parcel_number.attributes.heavy.default", "must be true or false"),
    (("resources", "parcel_number", "samples", 0, "attributes"), {"heavy": True},
     "resources.parcel_number.samples[0].attributes.heavy",
     "is not declared under attributes of this resource kind"),
    ((*DELIVERED, "label", "en"), "Parcel delivered", "triggers.parcel_delivered.label.en",
     "write the label in title case; delivered starts small"),
]  # fmt: skip


EVENT_SAMPLES = [
    ("weight_grams", "heavy", "must be a whole number"),
    ("recipient.country", "France", "is not in the format country"),
    ("status", "lost", "lost is not a value of the enumeration parcel_status"),
    ("status_message", "Delivered", "follows status; give the sample of that one"),
    ("parcel_id", 7041, "must be text; write quotes around digits"),
    ("parcel_id", None, "must not be null; every record has an id"),
    ("recipient", {},
     "the payload of parcel has no single value at recipient; use the path of a field"),
    ("recipient.age", 30,
     "the payload of parcel has no single value at recipient.age; use the path of a field"),
    ("event", "scan",
     "the payload of parcel has no single value at event; use the path of a field"),
    ("role", 3, "the payload of parcel has no single value at role; use the path of a field"),
]  # fmt: skip


def test_the_parcels_have_no_problem():
    assert said(check_catalog(parcels())) == []


@pytest.mark.parametrize(("path", "value", "place", "message"), SHAPES)
def test_a_wrong_shape_is_told(path, value, place, message):
    problems = said(check_catalog(parcels((path, value))))

    assert problems == [(place, message)]


@pytest.mark.parametrize(("changes", "key", "message"), FIELD_RULES)
def test_a_field_that_contradicts_itself_is_told(changes, key, message):
    field = {"key": "remark", "type": "string", "label": words("Remark"), "sample": "Fragile"}
    field = {name: value for name, value in (field | changes).items() if value is not GONE}
    data = parcels()
    data["subjects"]["parcel"]["fields"].append(field)

    problems = said(check_catalog(data))

    last = f"subjects.parcel.fields[{len(data['subjects']['parcel']['fields']) - 1}]"
    assert (f"{last}.{key}" if key else last, message) in problems


@pytest.mark.parametrize(("path", "value", "place", "message"), NAMES)
def test_a_name_that_nothing_declares_is_told(path, value, place, message):
    assert (place, message) in said(check_catalog(parcels((path, value))))


@pytest.mark.parametrize(("path", "value", "message"), EVENT_SAMPLES)
def test_a_sample_that_cannot_be_an_events_is_told(path, value, message):
    problems = said(check_catalog(parcels(((*SCAN, "samples"), {path: value}))))

    assert problems == [(f"subjects.parcel.events.scan.samples.{path}", message)]


@pytest.mark.parametrize(
    ("path", "value"),
    [("status", "returned"), ("recipient.name", None), ("parcel_id", "prc_1"), ("role", 7)],
)
def test_an_events_sample_may_be_any_value_of_the_payload(path, value):
    roles = [{"value": 7, "label": words("System")}]

    data = parcels((("roles",), roles), ((*SCAN, "samples"), {path: value}))

    assert said(check_catalog(data)) == []


@pytest.mark.parametrize("role", [5, "7", None, True])
def test_the_role_of_an_example_is_one_of_the_catalogs_roles(role):
    roles = [{"value": 7, "label": words("System")}, {"value": 1, "label": words("Guest")}]

    data = parcels((("roles",), roles), ((*SCAN, "samples"), {"role": role}))

    place = "subjects.parcel.events.scan.samples.role"
    assert said(check_catalog(data)) == [(place, f"{role} is not one of the roles 7, 1")]


def test_an_events_sample_is_told_with_its_line(tmp_path):
    text = PARCELS.read_text(encoding="utf-8").replace("{status: returned,", "{status: lost,")
    path = write(tmp_path, text)

    with pytest.raises(CatalogError) as caught:
        load_catalog(path)

    line = text[: text.index("status: lost")].count("\n") + 1
    place = "subjects.parcel.events.return.samples.status"
    message = "lost is not a value of the enumeration parcel_status"
    assert caught.value.problems == (f"{path}:{line}: {place}: {message}",)


@pytest.mark.parametrize(
    "help_text",
    [
        "A parcel is delivered.",
        "Triggers when a parcel is delivered",
        "Triggers when a parcel is delivered. Not when it is lost.",
        "triggers when a parcel is delivered.",
    ],
)
def test_the_english_help_of_a_trigger_is_one_sentence(help_text):
    problems = said(check_catalog(parcels(((*DELIVERED, "help", "en"), help_text))))

    place = "triggers.parcel_delivered.help.en"
    assert problems == [(place, "write one sentence: Triggers when … .")]


def test_an_attachment_needs_an_object_to_move_to():
    data = parcels()
    data["subjects"]["label"] = {
        **data["subjects"]["parcel"],
        "attachments": [{"parent": "parcel", "event_type": "parcel.scan", "field": "status"}],
    }

    assert said(check_catalog(data)) == [
        ("subjects.label.attachments[0].field", "parcel has no field status of type object")
    ]


def test_nested_fields_are_checked_too():
    path = (*FIELDS, 4, "fields", 1, "sample")

    problems = said(check_catalog(parcels((path, 33))))

    place = "subjects.parcel.fields[4].fields[1].sample"
    assert problems == [(place, "must be text; write quotes around digits")]


def test_a_sample_of_objects_holds_only_declared_fields():
    inner = {"key": "at", "type": "date", "label": words("At"), "sample": "2026-03-09"}
    stops = {"key": "stops", "type": "list", "label": words("Stops"), "fields": [inner]}
    data = parcels()
    data["subjects"]["parcel"]["fields"] += [
        {**stops, "key": "one", "sample": [{"at": "2026-03-09"}]},
        {**stops, "key": "two", "sample": [{"at": "today"}]},
        {**stops, "key": "three", "sample": [{"where": "Lyon"}]},
    ]

    assert [message for _, message in said(check_catalog(data))] == [
        "each entry at must be a date, such as 2026-03-09",
        "each entry holds where, which is not one of its fields",
    ]


def test_a_requirement_asks_for_a_value_of_the_attributes_type():
    heavy = {"heavy": {"type": "boolean", "label": words("Heavy")}}
    requirement = {"attribute": "heavy", "equals": "yes", "reason": words("x")}
    data = parcels(
        (("resources", "parcel_number", "attributes"), heavy),
        ((*DELIVERED, "restriction", "requirements"), [requirement]),
    )

    place = "triggers.parcel_delivered.restriction.requirements[0].equals"
    assert said(check_catalog(data)) == [(place, "must be of the attribute's type, boolean")]


def test_choices_must_have_the_type_of_the_field():
    problems = said(check_catalog(parcels(((*FIELDS, 1, "type"), "integer"))))

    message = "the values of parcel_status are not of type integer; change the type"
    assert ("subjects.parcel.fields[1].type", message) in problems


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path):
    text = PARCELS.read_text(encoding="utf-8")
    text = text.replace("sample: 1240", "sample: heavy").replace("  tracking:", "  radar:")
    text = text.replace("sample: prc_7041", "sample: 7041")
    path = write(tmp_path, text)

    with pytest.raises(CatalogError) as caught:
        load_catalog(path)

    lines = text.splitlines()
    number = lines.index("      sample: 7041") + 1
    weight = lines.index("        sample: heavy") + 1
    feature = lines.index("      - feature: tracking") + 1
    undeclared = "there is no feature tracking; declare it under features"
    unquoted = "must be text; write quotes around digits"
    assert caught.value.problems == (
        f"{path}:{number}: subjects.parcel.record_id.sample: {unquoted}",
        f"{path}:{weight}: subjects.parcel.fields[3].sample: must be a whole number",
        f"{path}:{feature}: triggers.parcel_moved.requires[0].feature: {undeclared}",
    )


def test_a_sample_resource_has_attributes_of_their_type():
    heavy = {"heavy": {"type": "boolean", "label": words("Heavy")}}
    kind = ("resources", "parcel_number")
    data = parcels(
        ((*kind, "attributes"), heavy), ((*kind, "samples", 0, "attributes"), {"heavy": 1})
    )

    place = "resources.parcel_number.samples[0].attributes.heavy"
    assert said(check_catalog(data)) == [(place, "must be true or false")]


def test_an_enumeration_that_is_missing_is_told_once():
    problems = said(check_catalog(parcels(((*FIELDS, 1, "choices"), "colour"))))

    message = "there is no enumeration colour; declare it under enumerations"
    assert problems == [("subjects.parcel.fields[1].choices", message)]


def test_a_rule_of_the_schema_without_words_of_ours_speaks_for_itself():
    validator = jsonschema.Draft202012Validator({"multipleOf": 2})

    assert said(shape._problems(validator, 3)) == [("", "3 is not a multiple of 2")]


def test_a_file_without_content_is_told(tmp_path):
    with pytest.raises(CatalogError, match=r"test\.yaml:1: must be a mapping of keys, not null"):
        load_catalog(write(tmp_path, ""))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, ("", "must be a mapping of keys, not null")),
        ({"fields": [], "x": 1}, ("x", "is not known here; use one of fields")),
        (
            {"fields": [{"key": "id", "type": "string", "label": words("Id")}]},
            ("fields[0]", "lacks sample; write a realistic value, or null"),
        ),
    ],
)
def test_the_envelope_is_checked_as_well(data, problem):
    assert said(check_envelope(data)) == [problem]


def test_reserved_keys_are_the_envelopes():
    assert ENVELOPE_KEYS == ("id", "trigger", "event", "role", "occurred_at", "account")


def test_the_schema_is_a_valid_draft_2020_12_schema():
    schema = catalog_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_explains_every_key_it_allows():
    schema = catalog_schema()
    definitions = schema["$defs"]
    mappings = [schema, *definitions.values()]

    for mapping in mappings:
        for key, part in mapping.get("properties", {}).items():
            target = definitions.get(part.get("$ref", "").rpartition("/")[2], {})
            assert part.get("title") or target.get("title"), key


def test_the_published_schema_is_the_one_in_use():
    published = ROOT / "docs" / "catalog.schema.json"

    assert published.read_bytes() == SCHEMA_FILE.read_bytes(), (
        f"copy {SCHEMA_FILE.relative_to(ROOT)} to {published.relative_to(ROOT)}"
    )


def places(data, at=()):
    """Yield the path of every part of plain data."""
    parts = data.items() if isinstance(data, dict) else enumerate(data)
    for key, part in parts:
        yield (*at, key)
        if isinstance(part, dict | list):
            yield from places(part, (*at, key))


PLACES = sorted(places(parcels()), key=json.dumps)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["parcel", "status", "object", "list", "scan"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_whatever_is_written_is_told_or_built_and_never_crashes(place, value):
    data = parcels((place, value))

    if not list(check_catalog(data)):
        assert build_catalog(data).key == data["catalog"]
