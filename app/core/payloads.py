"""The payload: one flat-topped JSON object, from one serializer for every use.

Deliveries, samples, previews and resends are all made by `payload_maker`, so their keys
are equal by construction (Zapier's check T004/T006). Every field of the shape is always
present, null where the data has nothing; objects are present with null leaves; types
never change.

A shape is read once, into functions that find the values; an event then costs little
more than the look-ups themselves.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.core import clock
from app.core.catalogs import EventType, Trigger
from app.core.events import Event
from app.core.fields import Field, FieldType
from app.core.jsontypes import Json, JsonObject
from app.core.shapes import Shape

# Plain dicts are told apart quickest, and come first.
_OBJECTS = (dict, Mapping)
_NOTHING: JsonObject = {}
_ValueOf = Callable[[JsonObject], Json]


class Envelope(NamedTuple):
    """What every payload says first. ``account`` is the vendor's own id of the account."""

    id: str
    trigger: str
    event: str
    role: int | None
    occurred_at: str
    account: str


PayloadMaker = Callable[[Envelope, JsonObject], dict[str, Json]]


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


def payload_maker(shape: Shape, language: str) -> PayloadMaker:
    """Return what makes payloads of records, with the fields of ``shape``.

    ``language`` (``en``, ``fr``, ``ja``) is that of texts derived from codes. Payloads are
    for reading: what they have in common they share.
    """
    spoken = Envelope._fields
    said = [(one.key, spoken.index(one.key)) for one in shape if one.key in spoken]
    record_of = _object_maker(shape, language)

    def make(envelope: Envelope, data: JsonObject) -> dict[str, Json]:
        made = record_of(data)
        for key, place in said:
            made[key] = envelope[place]
        return made

    return make


def payload(
    envelope: Envelope, data: JsonObject, *, shape: Shape, language: str
) -> dict[str, Json]:
    """Return the payload of one record; see `payload_maker`."""
    return payload_maker(shape, language)(envelope, data)


def value_at(data: Json, path: str) -> Json:
    """Return the value at a dotted path of plain objects, or None."""
    for key in path.split("."):
        if not isinstance(data, _OBJECTS):
            return None
        data = data.get(key)
    return data


def _object_maker(fields: Shape, language: str) -> Callable[[JsonObject], dict[str, Json]]:
    """Return what makes an object with these fields of a published one."""
    # A record has far fewer keys than there are fields: begin with nothing but nulls, and
    # fill in what was published.
    makers = [(field, _value_maker(field, fields, language)) for field in fields]
    nulls = {field.key: make_value(_NOTHING) for field, make_value in makers}
    fillers: dict[str, list[tuple[str, _ValueOf | None]]] = {}
    for field, make_value in makers:
        for source in _sources(field, fields):
            as_it_is = _is_plain(field)
            fillers.setdefault(source, []).append((field.key, None if as_it_is else make_value))

    def make(data: JsonObject) -> dict[str, Json]:
        made = nulls.copy()
        for source, value in data.items():
            for key, make_value in fillers.get(source, ()):
                made[key] = value if make_value is None else make_value(data)
        return made

    return make


def _sources(field: Field, siblings: Shape) -> set[str]:
    """Return the keys of the published object that the field's value depends on."""
    of = [field, *(one for one in siblings if one.key == field.label_of)]
    return {one.path_in_data.partition(".")[0] for one in of}


def _is_plain(field: Field) -> bool:
    """Return whether the field is what stands under one key, as it is."""
    is_nested = field.type in (FieldType.OBJECT, FieldType.LIST)
    return field.label_of is None and not is_nested and "." not in field.path_in_data


def _value_maker(field: Field, siblings: Shape, language: str) -> _ValueOf:
    if field.label_of is not None:
        return _label_maker(field, siblings, language)
    if field.type is FieldType.OBJECT:
        return _open_maker(field, language)
    if field.type is FieldType.LIST:
        return _list_maker(field, language)
    return _getter(field.path_in_data)


def _getter(path: str) -> _ValueOf:
    if "." in path:
        return lambda data: value_at(data, path)
    return lambda data: data.get(path)


def _label_maker(field: Field, siblings: Shape, language: str) -> _ValueOf:
    published = _getter(field.path_in_data)
    code_field = next((one for one in siblings if one.key == field.label_of), None)
    if code_field is None:
        return published
    code_of = _getter(code_field.path_in_data)
    labels = {
        choice.value: choice.label.in_language(language) for choice in reversed(code_field.choices)
    }

    def label_of(data: JsonObject) -> Json:
        code = code_of(data)
        is_nested = isinstance(code, dict | list | tuple | Mapping)  # which no label is for
        return (None if is_nested else labels.get(code)) or published(data)

    return label_of


def _open_maker(field: Field, language: str) -> _ValueOf:
    """Return what makes an object of the published one, with what nothing declares if open."""
    published_of = _getter(field.path_in_data)
    make = _object_maker(field.fields, language)
    known = {inner.path_in_data for inner in field.fields}
    absent = make(_NOTHING)

    def value_of(data: JsonObject) -> Json:
        published = published_of(data)
        if not isinstance(published, _OBJECTS):
            return absent
        made = make(published)
        if field.open:
            made |= {key: value for key, value in published.items() if key not in known}
        return made

    return value_of


def _list_maker(field: Field, language: str) -> _ValueOf:
    published_of = _getter(field.path_in_data)
    make = _object_maker(field.fields, language) if field.fields else None

    def value_of(data: JsonObject) -> Json:
        published = published_of(data)
        if not isinstance(published, list | tuple):
            return []
        if make is None:
            return list(published)
        return [make(one if isinstance(one, _OBJECTS) else _NOTHING) for one in published]

    return value_of
