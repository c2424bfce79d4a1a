"""One of many texts, sent as one value: the statement's text never changes.

``IN (?, ?, …)`` is a new text for each number of values, which engines parse and plan
anew each time. Here the values travel as one array (PostgreSQL) or JSON text (SQLite).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Dialect, bindparam
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


class _EachOf(FunctionElement[str]):
    """The texts of a bound value, as a sub-query."""

    type = AnyText()
    inherit_cache = True


@compiles(_EachOf, "sqlite")
def _as_json(element: _EachOf, compiler: SQLCompiler, **options: Any) -> str:
    bound = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({bound}))"  # noqa: S608  # a placeholder, no value


@compiles(_EachOf, "postgresql")
def _as_array(element: _EachOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


def texts(name: str) -> BindParameter[Collection[str]]:
    """Return the parameter that takes the texts."""
    return bindparam(name, type_=_Texts())


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return whether the column has one of the texts of the parameter ``name``."""
    return column.bool_op("IN")(_EachOf(texts(name)))


def not_among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return whether the column has none of the texts of the parameter ``name``."""
    return column.bool_op("NOT IN")(_EachOf(texts(name)))
