"""Lists by page. A cursor is opaque to clients and names the last item that was shown.

It names a place in the order, not a row: it stays good when that row is pruned.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

from sqlalchemy import Column, ColumnElement, and_, or_

from app.core.errors import FieldProblem, InvalidRequestError
from app.core.records import Page
from app.storage.columns import from_micros, to_micros
from app.storage.rows import AnyRow

T = TypeVar("T")

_TEXT = re.compile(r"(-?\d{1,18})\.([a-z]{1,8}_[A-Za-z0-9_-]{1,100})")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list: just after the item of this moment and id."""

    moment: datetime
    id: str


def to_cursor(position: Position) -> str:
    """Return the position as text that is safe in a URL."""
    text = f"{to_micros(position.moment)}.{position.id}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def from_cursor(cursor: str, *, prefix: str) -> Position:
    """Return the position that a cursor of a list of ``prefix_…`` ids names.

    Raises:
        InvalidRequestError: For the field ``cursor``, where it is none of that list's.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        match = _TEXT.fullmatch(text.decode("ascii"))
        if match is None or not match[2].startswith(f"{prefix}_"):
            _refuse()
        return Position(from_micros(int(match[1])), match[2])
    except (binascii.Error, ValueError, OverflowError) as error:
        _refuse(error)


def older_than(
    position: Position, moment: Column[datetime], id_column: Column[str]
) -> ColumnElement[bool]:
    """Return the condition for rows after ``position``, newest first.

    Spelt so that an index on (moment, id) starts reading at the position.
    """
    earlier = or_(moment < position.moment, id_column < position.id)
    return and_(moment <= position.moment, earlier)


def page_of(
    rows: Sequence[AnyRow],
    *,
    limit: int,
    read: Callable[[AnyRow], T],
    position: Callable[[T], Position],
) -> Page[T]:
    """Return the page of ``rows``, which were asked for with ``limit + 1``."""
    items = tuple(read(row) for row in rows[:limit])
    more = len(rows) > limit and items
    return Page(items=items, next_cursor=to_cursor(position(items[-1])) if more else None)


def _refuse(cause: Exception | None = None) -> NoReturn:
    problem = FieldProblem(
        field="cursor",
        code="invalid_cursor",
        message="Send the next_cursor of the page before, unchanged.",
    )
    raise InvalidRequestError("The cursor is not one of this list.", problems=(problem,)) from cause
