"""Reading what is right, quickly: from a schema to a function that takes plain good values.

A batch has a hundred events, and marshmallow reads one in the time that all the rest of
its journey takes. So a body is read here first, by the schema's own fields. Whatever is
not plainly right is left to the schema itself, which alone says what is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import marshmallow as ma
from marshmallow import validate

from app.api.schemas.fields import Flag, JsonObject, ListOf, Moment, Part, Text, Whole
from app.core import clock
from app.core.jsontypes import Json

# Not plainly right: None is a value.
UNSURE: Final = object()
Read = Callable[[Json], Any]


def quick_reader(schema: ma.Schema) -> Read:
    """Return what loads an object as ``schema`` does, or returns `UNSURE`.

    Raises:
        TypeError: A field of the schema is of a kind that cannot be read quickly.
    """
    readers = {name: _reader(field) for name, field in schema.fields.items()}
    required = frozenset(name for name, field in schema.fields.items() if field.required)
    defaults = {
        name: field.load_default
        for name, field in schema.fields.items()
        if field.load_default is not ma.missing
    }

    def read(given: Json) -> Any:
        if type(given) is not dict or not required <= given.keys():
            return UNSURE
        loaded: dict[str, Any] = defaults.copy()
        for name, value in given.items():
            read_value = readers.get(name)
            found = UNSURE if read_value is None else read_value(value)
            if found is UNSURE:
                return UNSURE
            loaded[name] = found
        return loaded

    return read


def _reader(field: ma.fields.Field[Any]) -> Read:
    for kind, make in _MAKERS.items():
        if type(field) is kind:
            read = make(field)
            return _nullable(read) if field.allow_none else read
    raise TypeError(f"{type(field).__name__} cannot be read quickly.")


def _nullable(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _bounds(field: ma.fields.Field[Any]) -> tuple[float, float]:
    """Return the least and the most that the field's only validator allows."""
    low, high = 0.0, float("inf")
    for validator in field.validators:
        if not isinstance(validator, validate.Length | validate.Range):
            raise TypeError(f"{type(validator).__name__} cannot be checked quickly.")
        low = validator.min if validator.min is not None else low
        high = validator.max if validator.max is not None else high
    return low, high


def _text(field: ma.fields.Field[Any]) -> Read:
    low, high = _bounds(field)
    return lambda value: value if type(value) is str and low <= len(value) <= high else UNSURE


def _whole(field: ma.fields.Field[Any]) -> Read:
    low, high = _bounds(field)
    return lambda value: value if type(value) is int and low <= value <= high else UNSURE


def _flag(_field: ma.fields.Field[Any]) -> Read:
    return lambda value: value if type(value) is bool else UNSURE


def _object(_field: ma.fields.Field[Any]) -> Read:
    return lambda value: value if type(value) is dict else UNSURE


def _moment(_field: ma.fields.Field[Any]) -> Read:
    def read(value: Json) -> Any:
        moment = clock.parse(value) if type(value) is str else None
        return UNSURE if moment is None else moment

    return read


def _part(field: ma.fields.Field[Any]) -> Read:
    assert isinstance(field, Part)  # noqa: S101 - tells mypy what `_MAKERS` says
    return quick_reader(field.schema)


def _list(field: ma.fields.Field[Any]) -> Read:
    assert isinstance(field, ListOf)  # noqa: S101 - tells mypy what `_MAKERS` says
    low, high = _bounds(field)
    read_element = _reader(field.inner)

    def read(value: Json) -> Any:
        if type(value) is not list or not low <= len(value) <= high:
            return UNSURE
        loaded = [read_element(element) for element in value]
        return UNSURE if any(one is UNSURE for one in loaded) else loaded

    return read


_MAKERS: Final[Mapping[type, Callable[[ma.fields.Field[Any]], Read]]] = {
    Text: _text,
    Whole: _whole,
    Flag: _flag,
    JsonObject: _object,
    Moment: _moment,
    Part: _part,
    ListOf: _list,
}
