"""What each field type allows: which JSON values, and which comparisons."""

from collections.abc import Callable, Mapping
from datetime import date

from app.core import clock
from app.core.fields import FieldType
from app.core.filters import Op
from app.core.jsontext import ExactNumber
from app.core.jsontypes import Json

EQUALITY = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
_ORDER = (Op.GT, Op.GTE, Op.LT, Op.LTE)
_TEXT = (*EQUALITY, Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH, Op.EXISTS)
_ORDERED = (*EQUALITY, *_ORDER, Op.EXISTS)
OPERATORS: Mapping[FieldType, tuple[Op, ...]] = {
    FieldType.STRING: _TEXT,
    FieldType.TEXT: _TEXT,
    FieldType.INTEGER: _ORDERED,
    FieldType.NUMBER: _ORDERED,
    FieldType.BOOLEAN: (*EQUALITY, Op.EXISTS),
    FieldType.DATETIME: _ORDERED,
    FieldType.DATE: _ORDERED,
    FieldType.LIST: (Op.CONTAINS, Op.EXISTS),
    FieldType.OBJECT: (Op.EXISTS,),
}


def fits(kind: FieldType, value: Json) -> bool:
    """Return whether a JSON value is of a field's type; null is of none."""
    return _FITS[kind](value)


def _is_number(value: Json) -> bool:
    # What JSON can hold besides these is a number: int, float, or an exact one.
    return value is not None and not isinstance(value, bool | str | Mapping | list | tuple)


def _is_whole(number: Json) -> bool:
    if isinstance(number, ExactNumber):
        return number.value == number.value.to_integral_value()
    return bool(number == int(number))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2031-03-04")


_FITS: Mapping[FieldType, Callable[[Json], bool]] = {
    FieldType.STRING: lambda value: isinstance(value, str),
    FieldType.TEXT: lambda value: isinstance(value, str),
    FieldType.BOOLEAN: lambda value: isinstance(value, bool),
    FieldType.INTEGER: lambda value: _is_number(value) and _is_whole(value),
    FieldType.NUMBER: _is_number,
    FieldType.DATETIME: lambda value: isinstance(value, str) and clock.parse(value) is not None,
    FieldType.DATE: lambda value: isinstance(value, str) and _is_date(value),
    FieldType.OBJECT: lambda value: isinstance(value, Mapping),
    FieldType.LIST: lambda value: isinstance(value, list | tuple),
}
