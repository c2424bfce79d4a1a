"""The column types that engines disagree about, and the one codec for JSON columns."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy import Text as AnyText
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core import jsontext
from app.core.jsontypes import Json

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Text that every engine compares byte by byte, as our cursors and later ids need it. Left
# alone, a server would sort by the customs of a country, which change with its updates.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")


def to_micros(moment: datetime) -> int:
    """Return an aware moment as microseconds since 1970 in UTC, without rounding."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment in UTC that `to_micros` made this number from."""
    return _EPOCH + timedelta(microseconds=micros)


class UtcTime(TypeDecorator[datetime]):
    """An aware moment in UTC, to the microsecond.

    SQLite has no type for it: there it is a whole number of microseconds, which takes
    eight bytes, sorts as time does and makes small indexes. Elsewhere it is a timestamp
    with a time zone. A naive moment names none and raises TypeError on SQLite.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the engine really has."""
        kind = BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    # The processors are chosen once per statement, not asked for the dialect per value:
    # a claim reads thousands of moments.

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what writes a moment."""
        return _optional(to_micros) if dialect.name == "sqlite" else None

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None]:
        """Return what reads a moment, in UTC."""
        del coltype
        return _optional(from_micros if dialect.name == "sqlite" else _in_utc)


class JsonText(TypeDecorator[Json]):
    """A JSON value as text, so that numbers and key order come back exactly.

    Native JSON columns reorder keys and rewrite numbers (`1.50` becomes `1.5`). None is
    SQL NULL.
    """

    impl = AnyText
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Json], str | None]:
        """Return what writes a value."""
        del dialect  # every engine stores the same text
        return _optional(_to_text)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Json]:
        """Return what reads a value."""
        del dialect, coltype
        return _optional(_from_text)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _to_text(value: Json) -> str:
    return jsontext.encode(value).decode()


def _from_text(text: str) -> Json:
    return jsontext.decode(text.encode())


def _optional(convert: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """Return the conversion that leaves NULL alone."""

    def process(value: Any) -> T | None:
        return None if value is None else convert(value)

    return process
