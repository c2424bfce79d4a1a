"""One of many texts, sent as one value: the statement's text never changes.

``IN (?, ?, …)`` is a new text for each number of values, which engines parse and plan
anew each time. Here the values travel as one array (PostgreSQL) or JSON text (SQLite).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Boolean, ColumnElement, Dialect, bindparam
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core import jsontext


class _Texts(TypeDecorator[Collection[str]]):
    """Many texts as the one value that an engine takes them in."""

    impl = AnyText
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the engine really has."""
        kind = ARRAY(AnyText()) if dialect.name == "postgresql" else AnyText()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        """Return the value for the driver."""
        texts = list(value or ())
        return texts if dialect.name == "postgresql" else jsontext.encode(texts).decode()


class _Among(FunctionElement[bool]):
    """Whether a column has one of the texts of a bound value, or none of them."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        super().__init__(column, texts(name))

    def self_group(self, against: Any = None) -> "_Among":
        """Return it as it is: SQLite would be asked whether it equals 1, with no index."""
        del against
        return self


class _NotAmong(_Among):
    inherit_cache = True


@compiles(_Among, "sqlite")
def _as_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, bound = _parts(element, compiler, options)
    negation = " NOT" if isinstance(element, _NotAmong) else ""
    return f"{column}{negation} IN (SELECT value FROM json_each({bound}))"  # noqa: S608  # no value


@compiles(_Among, "postgresql")
def _as_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    # Not a sub-query: of an array, the server knows before it begins which partitions to ask.
    column, bound = _parts(element, compiler, options)
    return f"{column} {'<> ALL' if isinstance(element, _NotAmong) else '= ANY'} ({bound})"


def _parts(element: _Among, compiler: SQLCompiler, options: dict[str, Any]) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


def texts(name: str) -> BindParameter[Collection[str]]:
    """Return the parameter that takes the texts."""
    return bindparam(name, type_=_Texts())


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return whether the column has one of the texts of the parameter ``name``."""
    return _Among(column, name)


def not_among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return whether the column has none of the texts of the parameter ``name``."""
    return _NotAmong(column, name)
