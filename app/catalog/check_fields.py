"""What a schema cannot say about fields: samples that fit, siblings that exist."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.catalog.problems import KeyPath, Problem
from app.catalog.samples import misfit
from app.core.field_types import fits
from app.core.fields import FieldType
from app.core.jsontypes import Json, JsonObject

# The payload fields that Relais itself fills in; see data/envelope.yaml.
ENVELOPE_KEYS: Final = ("id", "trigger", "event", "role", "occurred_at", "account")
RESERVED_PREFIX: Final = "relais_"

Enumerations = Mapping[str, Sequence[JsonObject]]

_SCALARS: Final = frozenset(FieldType) - {FieldType.OBJECT, FieldType.LIST}
# Which types of field each of these keys is for.
_ONLY_FOR: Final = {
    "choices": {FieldType.STRING, FieldType.INTEGER},
    "label_of": {FieldType.STRING},
    "format": {FieldType.STRING, FieldType.TEXT},
    "fields": {FieldType.OBJECT, FieldType.LIST},
    "item": {FieldType.LIST},
    "keys_from": {FieldType.OBJECT},
    "open": {FieldType.OBJECT},
}


def check_fields(
    fields: Sequence[JsonObject], at: KeyPath, enumerations: Enumerations
) -> Iterator[Problem]:
    """Yield what is wrong with the fields of one object, and with those inside them."""
    yield from _twice(fields, at)
    for index, field in enumerate(fields):
        here = (*at, index)
        yield from _misplaced_keys(field, here)
        yield from _content(field, here)
        yield from _choices(field, here, enumerations)
        yield from _label_of(field, here, fields, enumerations)
        yield from check_fields(field.get("fields", ()), (*here, "fields"), enumerations)


def check_payload_keys(
    fields: Sequence[JsonObject], at: KeyPath, record_id: str
) -> Iterator[Problem]:
    """Yield the top-level fields whose keys Relais fills in itself."""
    for index, field in enumerate(fields):
        key = field["key"]
        if key in (*ENVELOPE_KEYS, record_id) or key.startswith(RESERVED_PREFIX):
            message = f"{key} is reserved; choose another key and keep this one as its source"
            yield Problem(at=(*at, index, "key"), message=message)


def _twice(fields: Sequence[JsonObject], at: KeyPath) -> Iterator[Problem]:
    seen = Counter[str]()
    for index, field in enumerate(fields):
        seen[field["key"]] += 1
        if seen[field["key"]] > 1:
            message = f"{field['key']} is there twice; keep one"
            yield Problem(at=(*at, index, "key"), message=message)


def _misplaced_keys(field: JsonObject, at: KeyPath) -> Iterator[Problem]:
    for key, types in _ONLY_FOR.items():
        if field.get(key) and FieldType(field["type"]) not in types:
            names = " and ".join(sorted(types))
            yield Problem(at=(*at, key), message=f"is only for fields of type {names}")


def _content(field: JsonObject, at: KeyPath) -> Iterator[Problem]:
    field_type = FieldType(field["type"])
    if field_type is FieldType.OBJECT and not _has_any(field, "fields", "keys_from", "open"):
        yield Problem(at=at, message="an object needs fields, keys_from or open: true")
    if field_type is FieldType.LIST and ("item" in field) == bool(field.get("fields")):
        yield Problem(at=at, message="a list needs either item or fields")
    if field_type in _SCALARS and "sample" not in field:
        yield Problem(at=at, message="lacks sample; write a realistic value, or null")
    if reason := misfit(field.get("sample"), field):
        yield Problem(at=(*at, "sample"), message=reason)


def _has_any(field: JsonObject, *keys: str) -> bool:
    return any(field.get(key) for key in keys)


def _choices(field: JsonObject, at: KeyPath, enumerations: Enumerations) -> Iterator[Problem]:
    name = field.get("choices")
    if name is None:
        return
    if name not in enumerations:
        message = f"there is no enumeration {name}; declare it under enumerations"
        yield Problem(at=(*at, "choices"), message=message)
        return
    values = [choice["value"] for choice in enumerations[name]]
    if not all(fits(FieldType(field["type"]), value) for value in values):
        message = f"the values of {name} are not of type {field['type']}; change the type"
        yield Problem(at=(*at, "type"), message=message)
    sample = field.get("sample")
    if sample is not None and sample not in values:
        message = f"{sample} is not a value of the enumeration {name}"
        yield Problem(at=(*at, "sample"), message=message)


def _label_of(
    field: JsonObject, at: KeyPath, siblings: Sequence[JsonObject], enumerations: Enumerations
) -> Iterator[Problem]:
    name = field.get("label_of")
    if name is None:
        return
    named = next((sibling for sibling in siblings if sibling["key"] == name), None)
    if named is None or named.get("choices") is None:
        message = f"there is no sibling {name} with choices"
        yield Problem(at=(*at, "label_of"), message=message)
        return
    if named["choices"] not in enumerations:
        return  # said at the sibling
    label = _english_label(named.get("sample"), enumerations[named["choices"]])
    if field.get("sample") != label:
        message = f"must be the English label of the sample of {name}: {label}"
        yield Problem(at=(*at, "sample"), message=message)


def _english_label(value: Json, choices: Sequence[JsonObject]) -> Json:
    return next((each["label"]["en"] for each in choices if each["value"] == value), None)
