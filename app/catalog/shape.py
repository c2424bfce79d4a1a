"""The JSON Schema of catalog files, and its errors in words for people."""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from app.catalog.problems import KeyPath, Problem
from app.core.jsontypes import Json

SCHEMA_FILE: Final = Path(__file__).parent / "catalog.schema.json"
_MAX_SHOWN: Final = 40
_TYPES: Final[Mapping[str, str]] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "a mapping of keys",
    "string": "text",
}


def catalog_schema() -> dict[str, Any]:
    """Return the published JSON Schema (draft 2020-12) of a catalog file, a fresh copy."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def check_catalog_shape(data: Json) -> Iterator[Problem]:
    """Yield where a catalog file's data departs from the schema."""
    yield from _problems(_catalog_validator(), data)


def check_envelope_shape(data: Json) -> Iterator[Problem]:
    """Yield where the envelope file's data is not a mapping with a list of fields."""
    yield from _problems(_envelope_validator(), data)


def _ends_where_it_ends(
    _: Validator, pattern: str, instance: Json, __: Mapping[str, Json]
) -> Iterator[ValidationError]:
    # In Python, unlike JSON Schema, "$" also matches before a last line break.
    whole = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(whole, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_RULES: Final = {"pattern": _ends_where_it_ends}
_CatalogValidator: Final[type[Validator]] = extend(  # type: ignore[no-untyped-call]  # no hints there
    Draft202012Validator, _RULES
)


@cache
def _catalog_validator() -> Validator:
    return _CatalogValidator(catalog_schema())


@cache
def _envelope_validator() -> Validator:
    envelope = {
        "type": "object",
        "required": ["fields"],
        "additionalProperties": False,
        "properties": {"fields": {"$ref": "#/$defs/fields"}},
    }
    return _CatalogValidator(envelope | {"$defs": catalog_schema()["$defs"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Departure:
    """Where data departs from the schema: the rule, what it wants, what it found."""

    at: KeyPath
    rule: str
    wanted: Any
    found: Any
    schema: Mapping[str, Any]
    message: str


def _problems(validator: Validator, data: Json) -> Iterator[Problem]:
    for error in validator.iter_errors(data):
        departure = _departure(error)
        words = _WORDS.get(departure.rule, _in_its_own_words)
        yield from words(departure)


def _departure(error: ValidationError) -> _Departure:
    found: Any = error.instance
    at = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        at = (*at, found)
    return _Departure(
        at=at,
        rule=str(error.validator),
        wanted=error.validator_value,
        found=found,
        schema=error.schema if isinstance(error.schema, dict) else {},
        message=error.message,
    )


def _in_its_own_words(departure: _Departure) -> Iterator[Problem]:
    yield Problem(at=departure.at, message=departure.message)


def _wrong_type(departure: _Departure) -> Iterator[Problem]:
    wanted = departure.wanted
    names: list[str] = wanted if isinstance(wanted, list) else [wanted]
    expected = " or ".join(_TYPES.get(name, name) for name in names)
    message = f"must be {expected}, not {_shown(departure.found)}"
    yield Problem(at=departure.at, message=message)


def _missing(departure: _Departure) -> Iterator[Problem]:
    # The validator reports each missing key; one problem names them all.
    missing = [key for key in departure.wanted if key not in departure.found]
    yield Problem(at=departure.at, message=f"lacks {', '.join(missing)}; add what is missing")


def _unknown_keys(departure: _Departure) -> Iterator[Problem]:
    known = departure.schema["properties"]
    for key in departure.found:
        if key not in known:
            message = f"is not known here; {_advice(key, known)}"
            yield Problem(at=(*departure.at, key), message=message)


def _advice(key: str, known: Mapping[str, Json]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"


def _wrong_pattern(departure: _Departure) -> Iterator[Problem]:
    advice = departure.schema.get("description", f"it must match {departure.wanted}")
    message = f"{_shown(departure.found)} is not allowed; {advice}"
    yield Problem(at=departure.at, message=message)


def _not_listed(departure: _Departure) -> Iterator[Problem]:
    allowed = ", ".join(str(value) for value in departure.wanted)
    message = f"{_shown(departure.found)} is not one of {allowed}"
    yield Problem(at=departure.at, message=message)


def _empty(departure: _Departure) -> Iterator[Problem]:
    yield Problem(at=departure.at, message="must not be empty; add at least one")


def _empty_text(departure: _Departure) -> Iterator[Problem]:
    yield Problem(at=departure.at, message="must not be empty; write some text")


def _too_long(departure: _Departure) -> Iterator[Problem]:
    length, most = len(departure.found), departure.wanted
    message = f"has {length} characters; shorten it to {most} at most"
    yield Problem(at=departure.at, message=message)


def _twice(departure: _Departure) -> Iterator[Problem]:
    yield Problem(at=departure.at, message="holds the same entry twice; keep one")


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


_WORDS: Final[Mapping[str, Callable[[_Departure], Iterator[Problem]]]] = {
    "type": _wrong_type,
    "required": _missing,
    "additionalProperties": _unknown_keys,
    "pattern": _wrong_pattern,
    "enum": _not_listed,
    "minItems": _empty,
    "minProperties": _empty,
    "minLength": _empty_text,
    "maxLength": _too_long,
    "uniqueItems": _twice,
}
