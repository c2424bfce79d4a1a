"""Many rows in one statement of PostgreSQL: an array per column, opened by ``unnest``.

Run once per row, a statement is parsed, bound and executed once per row. Given all rows
at once it is planned once and its text never changes, however many rows there are.

The arrays are written here, as the text that the server reads (array literals): the
driver's own way asks each value for its type. Bytes are left to the driver, which sends
them as they are instead of as hexadecimal digits.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ClauseElement,
    Dialect,
    Insert,
    LargeBinary,
    TableClause,
    bindparam,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import TypeEngine

_Row = Mapping[str, Any]
_Write = Callable[[Any], str]
_Kinds = Mapping[str, TypeEngine[Any]]

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_NULL = "NULL"


class ArrayStatement:
    """A statement for many rows, as PostgreSQL's driver is given it."""

    def __init__(
        self, statement: ClauseElement, columns: Sequence[str] | None, dialect: Dialect
    ) -> None:
        """Compile it; ``columns`` are those of an INSERT."""
        if isinstance(statement, Insert):
            kinds = _columns_of(statement, columns or ())
            many = _insert_of(statement.table, kinds)
        else:
            kinds = _required_of(statement, dialect)
            many = _from_arrays(statement, kinds)
        compiled: Any = many.compile(dialect=dialect)
        self._names = tuple(kinds)
        self._fixed = {
            name: bound.value for name, bound in compiled.binds.items() if name not in kinds
        }
        self._writers = {
            name: None if _is_binary(kind) else _writer(kind, dialect)
            for name, kind in kinds.items()
        }
        self.text: str = _PLACEHOLDER.sub(self._placeholder, str(compiled))

    def values(self, rows: Sequence[_Row]) -> dict[str, Any]:
        """Return what the driver is given for the rows."""
        return self._fixed | {name: self._array(name, rows) for name in self._names}

    def _array(self, name: str, rows: Sequence[_Row]) -> Any:
        write = self._writers[name]
        found = [row[name] for row in rows]
        return found if write is None else array_literal(found, write)

    def _placeholder(self, found: re.Match[str]) -> str:
        name = found[1]
        is_binary = name in self._names and self._writers[name] is None
        return f"%({name}){'b' if is_binary else 's'}"


def array_literal(values: Iterable[Any], write: _Write) -> str:
    """Return an array in PostgreSQL's notation; ``write`` makes each element's text."""
    return "{" + ",".join([_NULL if one is None else write(one) for one in values]) + "}"


def quoted(text: str) -> str:
    """Return a text as an element of an array literal."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _columns_of(statement: Insert, names: Sequence[str]) -> _Kinds:
    table = statement.table
    return {name: table.columns[name].type for name in names}


def _required_of(statement: ClauseElement, dialect: Dialect) -> _Kinds:
    """Return the parameters that come with each row; compiling finds out their types."""
    compiled: Any = statement.compile(dialect=dialect)
    return {name: bound.type for name, bound in compiled.binds.items() if bound.required}


def _insert_of(table: TableClause, kinds: _Kinds) -> ClauseElement:
    given = _given(kinds)
    return insert(table).from_select(list(kinds), select(*[given.c[name] for name in kinds]))


def _from_arrays(statement: ClauseElement, kinds: _Kinds) -> ClauseElement:
    """Return the statement with the columns of the arrays in place of its parameters."""
    given = _given(kinds)

    def put(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.required:
            return given.c[element.key]
        return None

    many: Any = replacement_traverse(statement, {}, put)
    return cast("ClauseElement", many)


def _given(kinds: _Kinds) -> Any:
    """Return ``unnest(…) AS given(…)``: a row of values for each row that was given."""
    arrays = [bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items()]
    columns = [column(name, kind) for name, kind in kinds.items()]
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


def _is_binary(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, LargeBinary)


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> _Write:
    """Return what writes one value that is not NULL."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return _element
    return lambda value: _element(convert(value))


def _element(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else quoted(str(value))
