"""Reading a filter that somebody wrote, with every problem named.

Two notations are read. The declarative one is `app.core.filters`. The shorthand, which
no-code inputs produce, is an object of field → value or list of values, all of which
must hold: ``{"event": ["destroy"], "role": "3"}``. Shorthand values are read in the
field's type, since forms and query strings only have text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.catalogs import Field, FieldType
from app.core.errors import FieldProblem
from app.core.field_types import EQUALITY, OPERATORS, fits
from app.core.filters import AllOf, AnyOf, Filter, Not, Op, Term
from app.core.jsontypes import Json
from app.core.shapes import Shape, flatten

MAX_DEPTH = 8
MAX_NODES = 64
MAX_VALUES = 100
MAX_TEXT = 500

# Stands for a part that could not be read; its problem is noted.
_NOTHING = AllOf(())
_NODE_KEYS = frozenset({"all", "any", "not", "op"})


@dataclass
class _Reader:
    """Collects problems while it reads; ``fields`` are the paths that exist."""

    fields: Mapping[str, Field]
    open_paths: tuple[str, ...]
    problems: list[FieldProblem] = field(default_factory=list)
    nodes: int = 0

    def problem(self, path: str, code: str, message: str) -> None:
        self.problems.append(FieldProblem(field=path, code=code, message=message))


def read_filter(
    written: Json, shapes: Iterable[Shape], *, at: str = "filters"
) -> tuple[Filter | None, tuple[FieldProblem, ...]]:
    """Return the filter that ``written`` means, and every problem with it.

    ``shapes`` are those of the triggers it must work for: a field has to exist in each.
    ``at`` is the path of the filter in the request, for the problems. None and ``{}``
    mean no filter.
    """
    if written is None or written == {}:
        return None, ()
    reader = _reader(shapes)
    if not isinstance(written, Mapping):
        reader.problem(at, "invalid_filter", "A filter is a JSON object.")
        return None, tuple(reader.problems)
    shorthand = not (_NODE_KEYS & written.keys())
    read = _shorthand(reader, written, at) if shorthand else _node(reader, written, at, 1)
    return (None if reader.problems else read), tuple(reader.problems)


def _reader(shapes: Iterable[Shape]) -> _Reader:
    paths = [dict(flatten(shape)) for shape in shapes]
    common = {path: one for path, one in paths[0].items() if all(path in other for other in paths)}
    open_paths = tuple(f"{path}." for path, one in common.items() if one.open)
    return _Reader(fields=common, open_paths=open_paths)


def _shorthand(reader: _Reader, written: Mapping[str, Json], at: str) -> Filter | None:
    terms: list[Filter] = []
    for path, value in written.items():
        here = f"{at}.{path}"
        values = list(value) if isinstance(value, list | tuple) else [value]
        values = [one for one in values if one not in (None, "")]
        if not values:
            continue
        known = _field(reader, path, here)
        if known is not None:
            values = [_coerced(known, one) for one in values]
            op = Op.CONTAINS if known.type is FieldType.LIST else Op.IN
            operand = values[0] if op is Op.CONTAINS else values
            terms.append(_term(reader, path, op, operand, here))
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else AllOf(tuple(terms))


def _coerced(known: Field, value: Json) -> Json:
    if not isinstance(value, str):
        return value
    if known.type in (FieldType.INTEGER, FieldType.NUMBER):
        return _number(value)
    if known.type is FieldType.BOOLEAN:
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def _number(text: str) -> Json:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if number == number and abs(number) != float("inf") else text  # noqa: PLR0124 - NaN is the number that is not itself
    return text


def _node(reader: _Reader, written: Json, at: str, depth: int) -> Filter:
    reader.nodes += 1
    if reader.nodes > MAX_NODES or depth > MAX_DEPTH:
        _too_large(reader, at)
        return _NOTHING
    if not isinstance(written, Mapping):
        reader.problem(at, "invalid_filter", "Each part of a filter is a JSON object.")
        return _NOTHING
    return _read_node(reader, written, at, depth)


def _read_node(reader: _Reader, written: Mapping[str, Json], at: str, depth: int) -> Filter:
    match sorted(written):
        case ["all"]:
            return AllOf(_parts(reader, written["all"], f"{at}.all", depth))
        case ["any"]:
            return AnyOf(_parts(reader, written["any"], f"{at}.any", depth))
        case ["not"]:
            return Not(_node(reader, written["not"], f"{at}.not", depth + 1))
        case ["field", "op", "value"]:
            return _written_term(reader, written, at)
        case _:
            message = (
                'A part of a filter is {"all": […]}, {"any": […]}, {"not": …} '
                'or {"field": …, "op": …, "value": …}.'
            )
            reader.problem(at, "invalid_filter", message)
            return _NOTHING


def _too_large(reader: _Reader, at: str) -> None:
    if not any(one.code == "filter_too_large" for one in reader.problems):
        message = f"A filter has at most {MAX_NODES} parts, nested {MAX_DEPTH} deep."
        reader.problem(at, "filter_too_large", message)


def _parts(reader: _Reader, written: Json, at: str, depth: int) -> tuple[Filter, ...]:
    if not isinstance(written, list) or not written:
        reader.problem(at, "invalid_filter", "Give a list with at least one part.")
        return ()
    return tuple(
        _node(reader, part, f"{at}.{index}", depth + 1)
        for index, part in enumerate(written[: MAX_NODES + 1])
    )


def _written_term(reader: _Reader, written: Mapping[str, Json], at: str) -> Filter:
    path, op = written["field"], written["op"]
    if not isinstance(path, str):
        reader.problem(f"{at}.field", "unknown_field", "Name the field as text.")
    elif op not in list(Op):
        known = ", ".join(Op)
        reader.problem(f"{at}.op", "unknown_operator", f"Use one of the operators {known}.")
    elif _field(reader, path, f"{at}.field") is not None:
        return _term(reader, path, Op(op), written["value"], f"{at}.value")
    elif path.startswith(reader.open_paths):
        return _open_term(reader, path, Op(op), written["value"], f"{at}.value")
    return AllOf(())


def _field(reader: _Reader, path: str, at: str) -> Field | None:
    known = reader.fields.get(path)
    if known is None and not path.startswith(reader.open_paths):
        shown = ", ".join(sorted(reader.fields)[:40])
        reader.problem(
            at,
            "unknown_field",
            f"There is no field {path[:100]!r} in this trigger's payload. Its fields are: {shown}.",
        )
    return known


def _term(reader: _Reader, path: str, op: Op, value: Json, at: str) -> Term:
    known = reader.fields[path]
    allowed = OPERATORS[known.type]
    if op not in allowed:
        names = ", ".join(allowed)
        message = f"{path!r} is of type {known.type}; it can be compared by {names}."
        reader.problem(at, "operator_not_for_type", message)
        return Term(path, op, value)
    for one in _operands(reader, op, value, at):
        _check_operand(reader, known, op, one, at)
    return Term(path, op, value)


def _open_term(reader: _Reader, path: str, op: Op, value: Json, at: str) -> Term:
    """Read a term on a field that nothing declares: any scalar may be there."""
    for one in _operands(reader, op, value, at):
        if not isinstance(one, str | int | float | None):
            reader.problem(at, "wrong_type", "Compare with text, a number, true, false or null.")
    return Term(path, op, value)


def _operands(reader: _Reader, op: Op, value: Json, at: str) -> list[Json]:
    if op not in (Op.IN, Op.NOT_IN):
        return [value]
    if not isinstance(value, list) or not value:
        reader.problem(at, "wrong_type", f"{op.value!r} takes a list of values.")
        return []
    if len(value) > MAX_VALUES:
        reader.problem(at, "filter_too_large", f"Give at most {MAX_VALUES} values.")
        return []
    return value


def _check_operand(reader: _Reader, known: Field, op: Op, value: Json, at: str) -> None:
    if op is Op.EXISTS:
        if not isinstance(value, bool):
            reader.problem(at, "wrong_type", "'exists' takes true or false.")
        return
    if value is None and op in (Op.EQ, Op.NE):
        return
    kind = (known.item or FieldType.STRING) if known.type is FieldType.LIST else known.type
    if not fits(kind, value):
        message = f"{known.key!r} is of type {kind}; {_shown(value)} is not."
        reader.problem(at, "wrong_type", message)
    elif isinstance(value, str) and len(value) > MAX_TEXT:
        reader.problem(at, "filter_too_large", f"A value has at most {MAX_TEXT} characters.")
    elif known.choices and op in EQUALITY and value not in [c.value for c in known.choices]:
        choices = ", ".join(str(choice.value) for choice in known.choices)
        message = f"{_shown(value)} is not a value of {known.key!r}. Its values are: {choices}."
        reader.problem(at, "unknown_choice", message)


def _shown(value: Json) -> str:
    return repr(value)[:60]
