"""Does published data fit the catalog? One compiled check per shape.

A shape is read once, into one function per field: most data is right, and then it costs
a look-up and a comparison of types per field.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.core.errors import FieldProblem
from app.core.field_types import fits
from app.core.fields import Field, FieldType
from app.core.jsontypes import Json, JsonObject
from app.core.payloads import value_at
from app.core.shapes import Shape

UNKNOWN_CHOICE: Final = "unknown_choice"
UNKNOWN_FIELD: Final = "unknown_field"
MISSING_RECORD_ID: Final = "missing_record_id"
# What only warns: a product learns new values and fields before its catalog does.
ONLY_WARNINGS: Final = frozenset({UNKNOWN_CHOICE, UNKNOWN_FIELD, MISSING_RECORD_ID})
_MOST_UNKNOWN: Final = 20
_FINE: Final = ()
# Values of these classes fit without a closer look; `fits` judges all others.
_PLAINLY_FIT: Final[Mapping[FieldType, frozenset[type]]] = {
    FieldType.STRING: frozenset({str}),
    FieldType.TEXT: frozenset({str}),
    FieldType.INTEGER: frozenset({int}),
    FieldType.NUMBER: frozenset({int, float}),
    FieldType.BOOLEAN: frozenset({bool}),
    FieldType.OBJECT: frozenset({dict}),
    FieldType.LIST: frozenset({list}),
}
_HINTS: Final = {
    FieldType.DATETIME: "an ISO 8601 time with an offset, such as 2031-03-04T18:00:00+01:00",
    FieldType.DATE: "a date, such as 2031-03-04",
}

DataCheck = Callable[[JsonObject, str], tuple[FieldProblem, ...]]
# What is wrong with a value that is not null, in the object at a path ("" or "data.").
_Check = Callable[[Json, str], Sequence[FieldProblem]]


def data_check(shape: Shape) -> DataCheck:
    """Return what says what is wrong with published data, or only odd: see `ONLY_WARNINGS`.

    It is given the data and its path in the request. The first field of the shape is the
    record's own id. Null is always allowed.
    """
    check_fields = _object_check(shape)
    record_id = shape[0].path_in_data
    known = {field.path_in_data.partition(".")[0] for field in shape}

    def check(data: JsonObject, at: str) -> tuple[FieldProblem, ...]:
        found = list(check_fields(data, f"{at}."))
        if value_at(data, record_id) is None:
            found.append(_missing_id(f"{at}.{record_id}"))
        if not known.issuperset(data):
            found += _unknown_fields([key for key in data if key not in known], at)
        return tuple(dict.fromkeys(found)) if found else _FINE  # two fields may be of one key

    return check


def _missing_id(at: str) -> FieldProblem:
    message = "The record has no id; subscribers get null for it."
    return FieldProblem(field=at, code=MISSING_RECORD_ID, message=message)


def _unknown_fields(keys: Sequence[str], at: str) -> list[FieldProblem]:
    message = "The catalog does not know this field; it is not delivered."
    return [
        FieldProblem(field=f"{at}.{key[:100]}", code=UNKNOWN_FIELD, message=message)
        for key in keys[:_MOST_UNKNOWN]
    ]


def _object_check(fields: Shape) -> _Check:
    """Return what checks the fields of an object; their problems come in the fields' order."""
    # A record has far fewer keys than there are fields: go through what was published.
    by_key: dict[str, list[tuple[int, str, _Check]]] = {}
    for place, field in enumerate(one for one in fields if one.label_of is None):
        key, _, rest = field.path_in_data.partition(".")
        by_key.setdefault(key, []).append((place, rest, _field_check(field)))

    def check(container: JsonObject, prefix: str) -> Sequence[FieldProblem]:
        found: list[tuple[int, Sequence[FieldProblem]]] = []
        for key, member in container.items():
            for place, rest, check_field in by_key.get(key, ()):
                value = value_at(member, rest) if rest else member
                if value is not None and (problems := check_field(value, prefix)):
                    found.append((place, problems))
        if not found:
            return _FINE
        return [problem for _, problems in sorted(found, key=_place) for problem in problems]

    return check


def _place(found: tuple[int, Sequence[FieldProblem]]) -> int:
    return found[0]


def _field_check(field: Field) -> _Check:
    kind, path = field.type, field.path_in_data
    plainly = _PLAINLY_FIT.get(kind, frozenset())
    check_inside = _inside_check(field)

    def check(value: Json, prefix: str) -> Sequence[FieldProblem]:
        if type(value) not in plainly and not fits(kind, value):
            return [_wrong_type(kind, value, f"{prefix}{path}")]
        return _FINE if check_inside is None else check_inside(value, f"{prefix}{path}")

    return check


def _inside_check(field: Field) -> _Check | None:
    """Return what checks a value that is of its field's type, at its own path."""
    if field.choices:
        return _choice_check(field)
    if field.type is FieldType.LIST:
        return _list_check(field)
    if not field.fields:
        return None
    check_fields = _object_check(field.fields)
    return lambda value, at: check_fields(value, f"{at}.")


def _choice_check(field: Field) -> _Check:
    values = [choice.value for choice in field.choices]

    def check(value: Json, at: str) -> Sequence[FieldProblem]:
        return _FINE if value in values else [_unknown_choice(values, value, at)]

    return check


def _list_check(field: Field) -> _Check | None:
    kind = FieldType.OBJECT if field.fields else field.item
    if kind is None:
        return None
    check_fields = _object_check(field.fields)

    def check(elements: Json, at: str) -> Sequence[FieldProblem]:
        problems: list[FieldProblem] = []
        for index, element in enumerate(elements):
            if not fits(kind, element):
                problems.append(_wrong_type(kind, element, f"{at}.{index}"))
            elif kind is FieldType.OBJECT:
                problems += check_fields(element, f"{at}.{index}.")
        return problems

    return check


def _wrong_type(kind: FieldType, value: Json, at: str) -> FieldProblem:
    hint = _HINTS.get(kind, f"of type {kind}")
    return FieldProblem(field=at, code="wrong_type", message=f"{value!r:.60} is not {hint}.")


def _unknown_choice(values: Sequence[Json], value: Json, at: str) -> FieldProblem:
    known = ", ".join(map(str, values))
    message = f"{value!r:.60} is not a value of this field. Its values are: {known}."
    return FieldProblem(field=at, code=UNKNOWN_CHOICE, message=message)
