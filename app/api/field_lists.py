"""A payload's shape as a flat list of fields, for drop-downs and dynamic fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.core.catalogs import Registry, Trigger
from app.core.field_types import OPERATORS
from app.core.fields import Field, FieldType, KeysFrom
from app.core.jsontypes import Json
from app.core.shapes import Shape, flatten

_FORMATS: Final[Mapping[FieldType, str]] = {
    FieldType.DATETIME: "date-time",
    FieldType.DATE: "date",
}
_OVERLAY: Final[Mapping[KeysFrom, str]] = {
    KeysFrom.CUSTOM_FIELDS: "custom_field",
    KeysFrom.FORMS: "form",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog says about a trigger's fields, whatever the account added."""

    envelope: frozenset[str]
    standing: frozenset[str]
    offered: frozenset[str]
    language: str


def fields_of(
    registry: Registry, trigger: Trigger, shape: Shape, language: str
) -> list[dict[str, Json]]:
    """Return an entry for each leaf of ``shape``, and one for each list."""
    subject = registry.catalogs[trigger.catalog].subjects[trigger.subject]
    known = _Known(
        envelope=frozenset(field.key for field in registry.envelope),
        standing=frozenset(path for path, _ in flatten((subject.record_id, *subject.fields))),
        offered=frozenset(trigger.filters),
        language=language,
    )
    return [_entry(path, field, source, known) for path, field, source in _leaves(shape, known)]


def _leaves(
    shape: Shape, known: _Known, prefix: str = "", keys_from: KeysFrom | None = None
) -> Iterator[tuple[str, Field, str]]:
    for field in shape:
        path = f"{prefix}{field.key}"
        if field.type is FieldType.OBJECT and field.fields:
            yield from _leaves(field.fields, known, f"{path}.", field.keys_from or keys_from)
        else:
            yield path, field, _source(path, known, keys_from)


def _source(path: str, known: _Known, keys_from: KeysFrom | None) -> str:
    if path in known.standing:
        return "catalog"
    if path in known.envelope:
        return "envelope"
    return "catalog" if keys_from is None else _OVERLAY[keys_from]


def _entry(path: str, field: Field, source: str, known: _Known) -> dict[str, Json]:
    return {
        **_child(path, field, known.language),
        "required": True,
        "filterable": path in known.offered,
        "operators": OPERATORS[field.type],
        "choices": [
            {"value": one.value, "label": one.label.in_language(known.language)}
            for one in field.choices
        ],
        "personal": field.personal,
        "list": field.type is FieldType.LIST,
        "children": [
            _child(inner_path, inner, known.language)
            for inner_path, inner in _inner_leaves(field.fields)
        ],
        "source": source,
    }


def _inner_leaves(fields: Shape) -> Iterator[tuple[str, Field]]:
    for path, field in flatten(fields):
        if not (field.type is FieldType.OBJECT and field.fields):
            yield path, field


def _child(path: str, field: Field, language: str) -> dict[str, Json]:
    return {
        "key": path,
        "label": field.label.in_language(language),
        "help": field.help and field.help.in_language(language),
        "type": field.type,
        "format": field.format or _FORMATS.get(field.type),
        "sample": field.sample,
    }
