"""Statements that run once per row of values, without the price of building each row.

SQLAlchemy builds a dictionary per row and looks up every value's type: about 14 µs a row,
more than SQLite needs to store it. Here the statement is compiled once per engine, its
converters are remembered, and the driver is given plain tuples. The statements
themselves stay SQLAlchemy's, and so do the types.

PostgreSQL is given all rows in one statement, see `app.storage.arrays`.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import ClauseElement, Connection, Dialect, LargeBinary, Table, insert

from app.storage.arrays import ArrayStatement

_Convert = Callable[[Any], Any]
_Row = Mapping[str, Any]


class _Prepared(Protocol):
    """A statement's text for one engine, and what turns rows into the driver's values."""

    text: str

    def values(self, rows: Sequence[_Row]) -> Any:
        """Return what the driver is given for the rows."""


class Bulk:
    """One statement for many rows; every row names the same columns."""

    def __init__(
        self,
        statement: ClauseElement,
        columns: Sequence[str] | None = None,
        *,
        in_order: bool = False,
    ) -> None:
        """Make it; ``columns`` are those of an INSERT, whose text depends on them.

        ``in_order``: an UPDATE of rows that nobody has locked yet and others may want at
        the same time. It takes them in the order of the given rows, one by one on every
        engine; at once, an engine would take them in an order of its own.
        """
        self._statement = statement
        self._columns = columns
        self._in_order = in_order
        self._prepared: dict[str, _Prepared] = {}

    def run(self, connection: Connection, rows: Sequence[_Row]) -> int:
        """Run it for each row and return how many rows it touched; none at all is fine."""
        if not rows:
            return 0
        prepared = self._prepared.get(connection.dialect.name)
        if prepared is None:
            prepared = self._prepare(connection.dialect)
            self._prepared[connection.dialect.name] = prepared
        return connection.exec_driver_sql(prepared.text, prepared.values(rows)).rowcount

    def _prepare(self, dialect: Dialect) -> _Prepared:
        if dialect.name == "postgresql" and not self._in_order:
            return ArrayStatement(self._statement, self._columns, dialect)
        return _RowByRow(self._statement, self._columns, dialect)


def bulk_insert(table: Table, *columns: str) -> Bulk:
    """Return the INSERT of some columns of a table, or of all of them."""
    return Bulk(insert(table), columns or [column.name for column in table.columns])


class _RowByRow:
    """A statement that the driver runs for one row after the other."""

    def __init__(
        self, statement: ClauseElement, columns: Sequence[str] | None, dialect: Dialect
    ) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.text: str = str(compiled)
        names = list(compiled.positiontup or compiled.binds)
        self._is_positional = bool(compiled.positional)
        # What the statement itself says; the rest comes with each row.
        self._fixed = {
            name: compiled.binds[name].value for name in names if not compiled.binds[name].required
        }
        self._names = names
        converters = {name: _converter(compiled.binds[name].type, dialect) for name in names}
        self._converters = [(i, found) for i, n in enumerate(names) if (found := converters[n])]
        wanted = [name for name in names if name not in self._fixed]
        self._get = itemgetter(*wanted) if len(wanted) > 1 else _one(*wanted)
        self._has_fixed = bool(self._fixed)

    def values(self, rows: Sequence[_Row]) -> Any:
        """Return what the driver is given for the rows."""
        made = [self._value(row) for row in rows]
        if self._is_positional:
            return made
        return [dict(zip(self._names, one, strict=True)) for one in made]

    def _value(self, row: _Row) -> tuple[Any, ...]:
        if self._has_fixed:
            row = {**self._fixed, **row}
            found = [row[name] for name in self._names]
        else:
            found = list(self._get(row))
        for index, convert in self._converters:
            found[index] = convert(found[index])
        return tuple(found)


def _one(name: str) -> Callable[[_Row], tuple[Any, ...]]:
    return lambda row: (row[name],)


def _converter(kind: Any, dialect: Dialect) -> _Convert | None:
    """Return what turns a value of the type into the driver's; None: nothing needs to."""
    if isinstance(kind, LargeBinary):
        return None  # every driver of ours takes bytes as they are
    convert: _Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert
