"""The payload: one flat-topped JSON object, from one serializer for every use.

Deliveries, samples, previews and resends are all made by `payload`, so their keys are
equal by construction (Zapier's check T004/T006). Every field of the shape is always
present, null where the data has nothing; objects are present with null leaves; types
never change.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core import clock
from app.core.catalogs import EventType, Trigger
from app.core.events import Event
from app.core.fields import Field, FieldType
from app.core.jsontypes import Json, JsonObject
from app.core.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every payload says first. ``account`` is the vendor's own id of the account."""

    id: str
    trigger: str
    event: str
    role: int | None
    occurred_at: str
    account: str


def envelope_of(event: Event, event_type: EventType, trigger: Trigger, account: str) -> Envelope:
    """Return the envelope of an event that fires ``trigger``."""
    return Envelope(
        id=event.id,
        trigger=trigger.key,
        event=event_type.value,
        role=event.actor.role,
        occurred_at=clock.to_text(event.occurred_at),
        account=account,
    )


def payload(
    envelope: Envelope, data: JsonObject, *, shape: Shape, language: str
) -> dict[str, Json]:
    """Return the payload of a record with the fields of ``shape``.

    ``language`` (``en``, ``fr``, ``ja``) is that of texts derived from codes.
    """
    made: dict[str, Json] = {}
    for field in shape:
        if field.key in Envelope.__dataclass_fields__:
            made[field.key] = getattr(envelope, field.key)
        else:
            made[field.key] = _value(field, data, shape, language)
    return made


def value_at(data: Json, path: str) -> Json:
    """Return the value at a dotted path of plain objects, or None."""
    for key in path.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def _value(field: Field, container: Json, siblings: Shape, language: str) -> Json:
    published = value_at(container, field.path_in_data)
    if field.label_of is not None:
        return _label(field, container, siblings, language) or published
    if field.type is FieldType.OBJECT:
        return _object(field, published, language)
    if field.type is FieldType.LIST:
        return _list(field, published, language)
    return published


def _label(field: Field, container: Json, siblings: Shape, language: str) -> str | None:
    code_field = next((one for one in siblings if one.key == field.label_of), None)
    if code_field is None:
        return None
    code = value_at(container, code_field.path_in_data)
    labels = (one.label for one in code_field.choices if one.value == code)
    label = next(labels, None)
    return None if label is None else label.in_language(language)


def _object(field: Field, published: Json, language: str) -> dict[str, Json]:
    made = {inner.key: _value(inner, published, field.fields, language) for inner in field.fields}
    if field.open and isinstance(published, Mapping):
        known = {inner.path_in_data for inner in field.fields}
        made |= {key: value for key, value in published.items() if key not in known}
    return made


def _list(field: Field, published: Json, language: str) -> list[Json]:
    if not isinstance(published, list | tuple):
        return []
    if not field.fields:
        return list(published)
    return [_object(field, element, language) for element in published]
