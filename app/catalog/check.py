"""What a schema cannot say about a catalog: every name it uses is declared.

These checks run on data that follows the schema already (`app.catalog.shape`).
"""

from collections.abc import Iterator, Sequence

from app.catalog.check_fields import check_fields, check_payload_keys
from app.catalog.check_samples import check_event_samples
from app.catalog.check_triggers import check_requirements, check_triggers
from app.catalog.problems import KeyPath, Problem
from app.catalog.samples import misfit
from app.catalog.shape import check_catalog_shape, check_envelope_shape
from app.core.jsontypes import Json, JsonObject


def check_catalog(data: Json) -> Iterator[Problem]:
    """Yield everything that is wrong with a catalog file's data.

    Names are checked only where the shape is right: of misshapen data, half of what
    could be said about names would be wrong.
    """
    misshapen = tuple(check_catalog_shape(data))
    yield from misshapen
    if not misshapen:
        yield from _names(data)


def check_envelope(data: Json) -> Iterator[Problem]:
    """Yield everything that is wrong with the envelope file's data."""
    misshapen = tuple(check_envelope_shape(data))
    yield from misshapen
    if not misshapen:
        yield from check_fields(data["fields"], ("fields",), {})


def _names(catalog: JsonObject) -> Iterator[Problem]:
    yield from check_requirements(catalog.get("requires", ()), ("requires",), catalog)
    yield from _choice_values(catalog.get("roles", ()), ("roles",))
    for key, choices in catalog.get("enumerations", {}).items():
        yield from _choice_values(choices, ("enumerations", key))
    for key, kind in catalog.get("resources", {}).items():
        yield from _resource_kind(kind, ("resources", key))
    for index, silent in enumerate(catalog.get("silent_origins", ())):
        here = ("silent_origins", index, "events")
        yield from _event_types(silent.get("events", ()), here, catalog)
    for key in catalog["subjects"]:
        yield from _subject(key, catalog)
    yield from check_triggers(catalog)


def _choice_values(choices: Sequence[JsonObject], at: KeyPath) -> Iterator[Problem]:
    seen: set[Json] = set()
    for index, choice in enumerate(choices):
        if choice["value"] in seen:
            message = f"{choice['value']} is there twice; keep one"
            yield Problem(at=(*at, index, "value"), message=message)
        seen.add(choice["value"])


def _resource_kind(kind: JsonObject, at: KeyPath) -> Iterator[Problem]:
    attributes = kind.get("attributes", {})
    for key, attribute in attributes.items():
        if reason := misfit(attribute.get("default"), attribute):
            yield Problem(at=(*at, "attributes", key, "default"), message=reason)
    for index, sample in enumerate(kind.get("samples", ())):
        for key, value in sample.get("attributes", {}).items():
            here = (*at, "samples", index, "attributes", key)
            yield from _attribute_value(key, value, attributes, here)


def _attribute_value(
    key: str, value: Json, attributes: JsonObject, at: KeyPath
) -> Iterator[Problem]:
    if key not in attributes:
        yield Problem(at=at, message="is not declared under attributes of this resource kind")
    elif reason := misfit(value, attributes[key]):
        yield Problem(at=at, message=reason)


def _subject(key: str, catalog: JsonObject) -> Iterator[Problem]:
    subject = catalog["subjects"][key]
    at: KeyPath = ("subjects", key)
    fields_at = (*at, "fields")
    yield from check_payload_keys(subject["fields"], fields_at, f"{key}_id")
    yield from check_fields(subject["fields"], fields_at, catalog.get("enumerations", {}))
    yield from _wire_values(subject["events"], (*at, "events"))
    yield from check_event_samples(key, catalog)
    if reason := misfit(subject["record_id"]["sample"], subject["record_id"]):
        yield Problem(at=(*at, "record_id", "sample"), message=reason)
    for index, attachment in enumerate(subject.get("attachments", ())):
        yield from _attachment(attachment, (*at, "attachments", index), key, catalog)


def _wire_values(events: JsonObject, at: KeyPath) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for key, event in events.items():
        value = event.get("value", key)
        if value in owners:
            message = (
                f"has the wire value {value} of {owners[value]}; receivers cannot tell them apart"
            )
            yield Problem(at=(*at, key), message=message)
        owners.setdefault(value, key)


def _event_types(names: Sequence[str], at: KeyPath, catalog: JsonObject) -> Iterator[Problem]:
    for index, name in enumerate(names):
        yield from _event_type(name, (*at, index), catalog)


def _event_type(name: str, at: KeyPath, catalog: JsonObject) -> Iterator[Problem]:
    subject, _, event = name.partition(".")
    if event not in catalog["subjects"].get(subject, {}).get("events", {}):
        message = f"there is no event type {name}; declare it under subjects"
        yield Problem(at=at, message=message)


def _attachment(
    attachment: JsonObject, at: KeyPath, own_key: str, catalog: JsonObject
) -> Iterator[Problem]:
    yield from _event_type(attachment["event_type"], (*at, "event_type"), catalog)
    other = attachment["event_type"].partition(".")[0]
    if other == own_key:
        message = "a record cannot be attached to its own subject; name another one"
        yield Problem(at=(*at, "event_type"), message=message)
        return
    fields = catalog["subjects"].get(other, {}).get("fields", ())
    if not any(_is_object(field, attachment["field"]) for field in fields):
        message = f"{other} has no field {attachment['field']} of type object"
        yield Problem(at=(*at, "field"), message=message)


def _is_object(field: JsonObject, key: str) -> bool:
    return bool(field["key"] == key and field["type"] == "object")
