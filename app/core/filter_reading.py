"""Reading a filter that somebody wrote, with every problem named.

Two notations are read. The declarative one is `app.core.filters`. The shorthand, which
no-code inputs produce, is an object of field → value or list of values, all of which
must hold: ``{"event": ["destroy"], "role": "3"}``. Shorthand values are read in the
field's type, since forms and query strings only have text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.core.errors import FieldProblem
from app.core.filter_terms import TermReader
from app.core.filters import AllOf, AnyOf, Filter, Not, Op
from app.core.jsontypes import Json
from app.core.shapes import Shape

MAX_DEPTH = 8
MAX_NODES = 64

_NODE_KEYS = frozenset({"all", "any", "not", "op"})
# Stands for a part that could not be read; its problem is noted.
_NOTHING = AllOf(())


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
    terms = TermReader.of_shapes(shapes)
    if not isinstance(written, Mapping):
        terms.problem(at, "invalid_filter", "A filter is a JSON object.")
        return None, tuple(terms.problems)
    shorthand = not (_NODE_KEYS & written.keys())
    read = _shorthand(terms, written, at) if shorthand else _Tree(terms).node(written, at, 1)
    return (None if terms.problems else read), tuple(terms.problems)


def _shorthand(terms: TermReader, written: Mapping[str, Json], at: str) -> Filter | None:
    read: list[Filter] = []
    for path, value in written.items():
        values = list(value) if isinstance(value, list | tuple) else [value]
        values = [one for one in values if one not in (None, "")]
        here = f"{at}.{path}"
        if values and terms.knows(path, here):
            read.append(terms.shorthand(path, values, here))
    if len(read) > MAX_NODES:
        terms.problem(at, "filter_too_large", f"A filter has at most {MAX_NODES} parts.")
    if not read:
        return None
    return read[0] if len(read) == 1 else AllOf(tuple(read))


@dataclass
class _Tree:
    """Reads the parts of a declarative filter, and counts them."""

    terms: TermReader
    nodes: int = 0

    def node(self, written: Json, at: str, depth: int) -> Filter:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            self._too_large(at)
            return _NOTHING
        if not isinstance(written, Mapping):
            self.terms.problem(at, "invalid_filter", "Each part of a filter is a JSON object.")
            return _NOTHING
        return self._read(written, at, depth)

    def _read(self, written: Mapping[str, Json], at: str, depth: int) -> Filter:
        match sorted(written):
            case ["all"]:
                return AllOf(self._parts(written["all"], f"{at}.all", depth))
            case ["any"]:
                return AnyOf(self._parts(written["any"], f"{at}.any", depth))
            case ["not"]:
                return Not(self.node(written["not"], f"{at}.not", depth + 1))
            case ["field", "op", "value"]:
                return self._term(written, at)
            case _:
                message = (
                    'A part of a filter is {"all": […]}, {"any": […]}, {"not": …} '
                    'or {"field": …, "op": …, "value": …}.'
                )
                self.terms.problem(at, "invalid_filter", message)
                return _NOTHING

    def _parts(self, written: Json, at: str, depth: int) -> tuple[Filter, ...]:
        if not isinstance(written, list) or not written:
            self.terms.problem(at, "invalid_filter", "Give a list with at least one part.")
            return ()
        return tuple(
            self.node(part, f"{at}.{index}", depth + 1)
            for index, part in enumerate(written[: MAX_NODES + 1])
        )

    def _term(self, written: Mapping[str, Json], at: str) -> Filter:
        path, op = written["field"], written["op"]
        if not isinstance(path, str):
            self.terms.problem(f"{at}.field", "unknown_field", "Name the field as text.")
        elif op not in list(Op):
            known = ", ".join(Op)
            self.terms.problem(f"{at}.op", "unknown_operator", f"Use one of: {known}.")
        elif self.terms.knows(path, f"{at}.field"):
            return self.terms.term(path, Op(op), written["value"], f"{at}.value")
        return _NOTHING

    def _too_large(self, at: str) -> None:
        if not any(one.code == "filter_too_large" for one in self.terms.problems):
            message = f"A filter has at most {MAX_NODES} parts, nested {MAX_DEPTH} deep."
            self.terms.problem(at, "filter_too_large", message)
