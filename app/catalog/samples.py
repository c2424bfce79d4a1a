"""Whether a sample value is what its field says it is."""

import re
from collections.abc import Mapping
from typing import Final

from app.core.field_types import fits
from app.core.fields import FieldType
from app.core.jsontypes import Json, JsonObject

_FORMATS: Final = {
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
    "url": re.compile(r"https?://\S+"),
    "country": re.compile(r"[A-Z]{2}"),
    "currency": re.compile(r"[A-Z]{3}"),
    "timezone": re.compile(r"[A-Z][A-Za-z_]+(/[A-Za-z_+-]+)*"),
    "language": re.compile(r"[a-z]{2}(-[A-Za-z]+)*"),
}

_WANTED: Final[Mapping[FieldType, str]] = {
    FieldType.STRING: "text; write quotes around digits",
    FieldType.TEXT: "text; write quotes around digits",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATETIME: "ISO 8601 with an offset, such as 2026-03-09T14:00:00+01:00",
    FieldType.DATE: "a date, such as 2026-03-09",
    FieldType.OBJECT: "a mapping of keys",
    FieldType.LIST: "a list",
}


def misfit(value: Json, field: JsonObject) -> str | None:
    """Return what keeps a sample from fitting a field of a catalog file, or None.

    Null fits everywhere: any value can be missing.
    """
    if value is None:
        return None
    field_type = FieldType(field["type"])
    if not fits(field_type, value):
        return f"must be {_WANTED[field_type]}"
    if field_type is FieldType.OBJECT:
        return _misfit_of_keys(value, field)
    if field_type is FieldType.LIST:
        return _misfit_of_items(value, field)
    return _misfit_of_format(value, field.get("format"))


def _misfit_of_keys(value: JsonObject, field: JsonObject) -> str | None:
    # A sample is published data, so its keys are the sources of the fields.
    inner = {each.get("source", each["key"]): each for each in field.get("fields", ())}
    known = {path.partition(".")[0] for path in inner}
    may_be_any = field.get("open") or field.get("keys_from")
    for key, entry in value.items():
        if key not in known and not may_be_any:
            return f"holds {key}, which is not one of its fields"
        if key in inner and (reason := misfit(entry, inner[key])):
            return f"{key} {reason}"
    return None


def _misfit_of_items(value: list[Json], field: JsonObject) -> str | None:
    item = {"type": field["item"]} if "item" in field else {**field, "type": "object"}
    reasons = (misfit(entry, item) for entry in value)
    return next((f"each entry {reason}" for reason in reasons if reason), None)


def _misfit_of_format(value: Json, name: str | None) -> str | None:
    pattern = _FORMATS.get(name or "")
    if pattern is None or not isinstance(value, str) or pattern.fullmatch(value):
        return None
    return f"is not in the format {name}"
