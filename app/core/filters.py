"""The one filter engine: which payloads does a subscription want?

A filter is JSON: ``{"all": […]}``, ``{"any": […]}``, ``{"not": …}`` or a term
``{"field": "price", "op": "gt", "value": 100}``. It is read once, with every problem
named (`app.core.filter_reading`), and evaluated here in time linear in its size. The
truth table stands in docs/filters.md; a test runs it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.core import clock
from app.core.jsontypes import Json, JsonObject


class Op(StrEnum):
    """The comparisons a term can make."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Term:
    """Compare the value at a dotted payload path with ``value``."""

    field: str
    op: Op
    value: Json


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is; an empty one is true."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when a part is; an empty one is false."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is false."""

    part: "Filter"


Filter = Term | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a filter is false: the first part that failed, and the value it saw."""

    part: Filter
    seen: Json


class _Missing:
    """Marks a path that leads nowhere; only `exists` tells it from null."""


_MISSING: Final = _Missing()


def mismatch(wanted: Filter | None, payload: JsonObject) -> Mismatch | None:
    """Return None when ``payload`` passes the filter, else the first reason it does not."""
    if wanted is None:
        return None
    match wanted:
        case Term():
            return None if _holds(wanted, payload) else Mismatch(wanted, seen(wanted, payload))
        case AllOf(parts):
            return next(filter(None, (mismatch(part, payload) for part in parts)), None)
        case AnyOf(parts):
            reasons = [mismatch(part, payload) for part in parts]
            if None in reasons:
                return None
            return next(filter(None, reasons), Mismatch(wanted, None))
        case Not(part):
            return Mismatch(wanted, None) if mismatch(part, payload) is None else None


def seen(term: Term, payload: JsonObject) -> Json:
    """Return what a term looks at, for explanations; None where there is nothing."""
    values = [value for value in _values_at(payload, term.field) if value is not _MISSING]
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def terms(wanted: Filter | None) -> Iterator[Term]:
    """Yield every term of a filter."""
    match wanted:
        case None:
            return
        case Term():
            yield wanted
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from terms(part)
        case Not(part):
            yield from terms(part)


def to_json(wanted: Filter | None) -> JsonObject | None:
    """Return the filter as JSON, in its normal form."""
    match wanted:
        case None:
            return None
        case Term(path, op, value):
            return {"field": path, "op": op.value, "value": value}
        case AllOf(parts):
            return {"all": [to_json(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [to_json(part) for part in parts]}
        case Not(part):
            return {"not": to_json(part)}


def from_json(stored: JsonObject | None) -> Filter | None:
    """Return the filter that `to_json` wrote; stored filters were checked when saved."""
    if stored is None:
        return None
    if "all" in stored:
        return AllOf(tuple(_part(part) for part in stored["all"]))
    if "any" in stored:
        return AnyOf(tuple(_part(part) for part in stored["any"]))
    if "not" in stored:
        return Not(_part(stored["not"]))
    return Term(stored["field"], Op(stored["op"]), stored["value"])


def _part(stored: JsonObject) -> Filter:
    part = from_json(stored)
    if part is None:
        raise ValueError("a part of a filter is never null")
    return part


def _holds(term: Term, payload: JsonObject) -> bool:
    values = _values_at(payload, term.field)
    match term.op:
        case Op.NE:
            return not any(_equal(value, term.value) for value in values)
        case Op.NOT_IN:
            return not any(_equal(value, one) for value in values for one in term.value)
        case Op.EXISTS:
            return _exists(values) == bool(term.value)
        case _:
            compare = _COMPARISONS[term.op]
            return any(compare(value, term.value) for value in values)


def _values_at(payload: Json, path: str) -> list[Json]:
    """Return the values at a path; on the way through a list, those of each element."""
    found: list[Json] = [payload]
    for key in path.split("."):
        found = [inner for outer in found for inner in _step(outer, key)]
    return found


def _step(outer: Json, key: str) -> list[Json]:
    if isinstance(outer, Mapping):
        return [outer.get(key, _MISSING)]
    if isinstance(outer, list | tuple):
        return [inner for element in outer for inner in _step(element, key)]
    return [_MISSING]


def _exists(values: list[Json]) -> bool:
    return any(_is_something(value) for value in values)


def _is_something(value: Json) -> bool:
    """Return whether there is a value: an object of nulls and an empty list are none.

    Payloads spell out absent objects with null leaves.
    """
    if isinstance(value, Mapping):
        return any(_is_something(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return bool(value)
    return value is not None and value is not _MISSING


def _equal(value: Json, wanted: Json) -> bool:
    if value is None or value is _MISSING:
        return wanted is None
    if isinstance(value, list | tuple):
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) != isinstance(wanted, str):
        return False
    if isinstance(value, str):
        return value == wanted or _same_moment(value, wanted)
    return bool(value == wanted)


def _same_moment(value: str, wanted: str) -> bool:
    # Only text that starts like a date is worth parsing.
    if not (value[:4].isdigit() and wanted[:4].isdigit()):
        return False
    left, right = clock.parse(value), clock.parse(wanted)
    return left is not None and left == right


def _in(value: Json, wanted: Json) -> bool:
    return any(_equal(value, one) for one in wanted)


def _contains(value: Json, wanted: Json) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    if isinstance(value, list | tuple):
        return any(_equal(element, wanted) for element in value)
    return False


def _starts_with(value: Json, wanted: Json) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and value.startswith(wanted)


def _ends_with(value: Json, wanted: Json) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and value.endswith(wanted)


def _ordered(decide: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    """Return a comparison that is false unless both sides have an order in common."""

    def compare(value: Json, wanted: Json) -> bool:
        pair = _comparable(value, wanted)
        return pair is not None and decide(*pair)

    return compare


def _comparable(value: Json, wanted: Json) -> tuple[Json, Json] | None:
    if isinstance(value, str) and isinstance(wanted, str):
        return _moments(value, wanted)
    if isinstance(value, str | bool | Mapping | list | _Missing) or value is None:
        return None
    if isinstance(wanted, str | bool) or wanted is None:
        return None
    return value, wanted


def _moments(value: str, wanted: str) -> tuple[Json, Json] | None:
    left, right = _moment(value), _moment(wanted)
    if left is None or right is None or (left.tzinfo is None) != (right.tzinfo is None):
        return None
    return left, right


def _moment(text: str) -> datetime | None:
    """Return a moment, or a plain date as a naive midnight: the two never compare."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_date = len(text) == len("2031-03-04")
    return moment if moment.tzinfo is not None or is_date else None


_COMPARISONS: Final[dict[Op, Callable[[Json, Json], bool]]] = {
    Op.EQ: _equal,
    Op.IN: _in,
    Op.CONTAINS: _contains,
    Op.STARTS_WITH: _starts_with,
    Op.ENDS_WITH: _ends_with,
    Op.GT: _ordered(lambda value, wanted: bool(value > wanted)),
    Op.GTE: _ordered(lambda value, wanted: bool(value >= wanted)),
    Op.LT: _ordered(lambda value, wanted: bool(value < wanted)),
    Op.LTE: _ordered(lambda value, wanted: bool(value <= wanted)),
}
