"""Reading one term of a filter: does its field exist, and does the value fit it?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.core import jsontext
from app.core.errors import FieldProblem, MalformedJsonError
from app.core.field_types import EQUALITY, OPERATORS, fits
from app.core.fields import Field, FieldType
from app.core.filters import AnyOf, Filter, Op, Term
from app.core.jsontypes import Json
from app.core.shapes import Shape, flatten

MAX_VALUES = 100
MAX_TEXT = 500
_SHOWN_FIELDS = 40
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)


@dataclass
class TermReader:
    """Reads terms against the fields that exist, and collects problems."""

    fields: Mapping[str, Field]
    open_paths: tuple[str, ...]
    problems: list[FieldProblem] = field(default_factory=list)

    @classmethod
    def of_shapes(cls, shapes: Iterable[Shape]) -> "TermReader":
        """Return a reader for the fields that every shape has, in the same type.

        A value may be any that one of the shapes knows: a filter for several triggers
        may ask for an event that only one of them hears.
        """
        first, *others = [dict(flatten(shape)) for shape in shapes]
        common = {
            path: _widened(one, [other[path] for other in others])
            for path, one in first.items()
            if all(path in other and other[path].type is one.type for other in others)
        }
        return cls(common, tuple(f"{path}." for path, one in common.items() if one.open))

    def problem(self, at: str, code: str, message: str) -> None:
        """Note what is wrong at a path of the request."""
        self.problems.append(FieldProblem(field=at, code=code, message=message))

    def term(self, path: str, op: Op, value: Json, at: str) -> Term:
        """Return the term, with its problems noted; the value stands at ``at``."""
        known = self.fields.get(path)
        allowed = OPERATORS[known.type] if known is not None else tuple(Op)
        if op not in allowed:
            kind = "" if known is None else known.type
            message = f"{path!r} is of type {kind}; it can be compared by {', '.join(allowed)}."
            self.problem(at, "operator_not_for_type", message)
            return Term(path, op, value)
        for one in self._operands(op, value, at):
            self._check_operand(known, op, one, at)
        return Term(path, op, value)

    def shorthand(self, path: str, values: list[Json], at: str) -> Filter:
        """Return the term of a shorthand line: one of the values, in the field's type."""
        known = self.fields.get(path)
        read = values if known is None else [_in_type(known, one) for one in values]
        if known is not None and known.type is FieldType.LIST:
            parts = tuple(self.term(path, Op.CONTAINS, one, at) for one in read)
            return parts[0] if len(parts) == 1 else AnyOf(parts)
        return self.term(path, Op.IN, read, at)

    def knows(self, path: str, at: str) -> bool:
        """Return whether the payload has the field; a problem is noted where not."""
        if path in self.fields or path.startswith(self.open_paths):
            return True
        shown = ", ".join(sorted(self.fields)[:_SHOWN_FIELDS])
        message = f"There is no field {path[:100]!r} in this payload. Its fields are: {shown}."
        self.problem(at, "unknown_field", message)
        return False

    def _operands(self, op: Op, value: Json, at: str) -> list[Json]:
        if op not in (Op.IN, Op.NOT_IN):
            return [value]
        if not isinstance(value, list) or not value:
            self.problem(at, "wrong_type", f"{op.value!r} takes a list of values.")
            return []
        if len(value) > MAX_VALUES:
            self.problem(at, "filter_too_large", f"Give at most {MAX_VALUES} values.")
            return []
        return value

    def _check_operand(self, known: Field | None, op: Op, value: Json, at: str) -> None:
        if op is Op.EXISTS:
            if not isinstance(value, bool):
                self.problem(at, "wrong_type", "'exists' takes true or false.")
        elif isinstance(value, str) and len(value) > MAX_TEXT:
            self.problem(at, "filter_too_large", f"A value has at most {MAX_TEXT} characters.")
        elif known is None:
            self._check_free(value, at)
        elif not (value is None and op in (Op.EQ, Op.NE)):
            self._check_typed(known, op, value, at)

    def _check_free(self, value: Json, at: str) -> None:
        """Check a value for a field that nothing declares: any scalar may be there."""
        if isinstance(value, Mapping | list | tuple):
            self.problem(at, "wrong_type", "Compare with text, a number, true, false or null.")

    def _check_typed(self, known: Field, op: Op, value: Json, at: str) -> None:
        kind = (known.item or FieldType.STRING) if known.type is FieldType.LIST else known.type
        if not fits(kind, value):
            message = f"{known.key!r} is of type {kind}; {_shown(value)} is not."
            self.problem(at, "wrong_type", message)
        elif known.choices and op in EQUALITY and value not in [c.value for c in known.choices]:
            choices = ", ".join(str(choice.value) for choice in known.choices)
            message = f"{_shown(value)} is not a value of {known.key!r}. They are: {choices}."
            self.problem(at, "unknown_choice", message)


def _widened(one: Field, others: list[Field]) -> Field:
    if not all(other.choices for other in (one, *others)):
        return replace(one, choices=())
    choices = {choice.value: choice for other in (one, *others) for choice in other.choices}
    return replace(one, choices=tuple(choices.values()))


def _in_type(known: Field, value: Json) -> Json:
    """Return text as the field's type where it can be read so; else as it is."""
    if not isinstance(value, str):
        return value
    kind = known.item if known.type is FieldType.LIST else known.type
    if kind is FieldType.BOOLEAN:
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind not in _NUMBERS:
        return value
    try:
        return jsontext.decode(value.encode())
    except MalformedJsonError:
        return value


def _shown(value: Json) -> str:
    return jsontext.encode(value).decode()[:60]
