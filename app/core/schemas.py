"""The JSON Schema of a payload, from the same shape that makes the payload."""

from typing import Any

from app.core.fields import Field, FieldType
from app.core.shapes import Shape

_TYPES = {
    FieldType.STRING: "string",
    FieldType.TEXT: "string",
    FieldType.INTEGER: "integer",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATETIME: "string",
    FieldType.DATE: "string",
    FieldType.OBJECT: "object",
    FieldType.LIST: "array",
}
_FORMATS = {FieldType.DATETIME: "date-time", FieldType.DATE: "date"}
_NEVER_NULL = frozenset({"id", "trigger", "event", "occurred_at", "account"})


def payload_schema(shape: Shape, *, title: str, language: str = "en") -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of payloads of this shape.

    Every field is required: a payload has null, never a gap. Only ``event`` is a
    closed set; a record's known values are examples, since a product may learn a
    new one (a payment status) before its catalog does.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_object(shape, language, is_open=False, top=True),
    }


def _object(shape: Shape, language: str, *, is_open: bool, top: bool = False) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            field.key: _field(field, language, nullable=not (top and field.key in _NEVER_NULL))
            for field in shape
        },
        "required": [field.key for field in shape],
        "additionalProperties": is_open,
    }


def _field(field: Field, language: str, *, nullable: bool) -> dict[str, Any]:
    described = {"title": field.label.in_language(language)}
    if field.help is not None:
        described["description"] = field.help.in_language(language)
    if field.type is FieldType.OBJECT:
        return {**described, **_object(field.fields, language, is_open=field.open)}
    if field.type is FieldType.LIST:
        return {**described, "type": "array", "items": _items(field, language)}
    return {**described, **_scalar(field, nullable=nullable)}


def _items(field: Field, language: str) -> dict[str, Any]:
    if field.fields:
        return _object(field.fields, language, is_open=field.open)
    return {} if field.item is None else {"type": _TYPES[field.item]}


def _scalar(field: Field, *, nullable: bool) -> dict[str, Any]:
    kind = _TYPES[field.type]
    made: dict[str, Any] = {"type": [kind, "null"] if nullable else kind}
    if field.type in _FORMATS:
        made["format"] = _FORMATS[field.type]
    if field.choices:
        values: list[Any] = [choice.value for choice in field.choices]
        made["examples" if nullable else "enum"] = values
    return made
