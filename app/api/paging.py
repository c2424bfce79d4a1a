"""Lists by page: at most so many at once, and a cursor to go on."""

import base64
import binascii
import re
from typing import Final

from app.core.errors import FieldProblem, InvalidRequestError
from app.core.jsontypes import Json
from app.core.records import Page

DEFAULT_LIMIT: Final = 25
MAX_LIMIT: Final = 100
# Deeper pages are searches that should be narrowed.
MAX_OFFSET: Final = 1_000_000
_OFFSET: Final = re.compile(r"after:(\d{1,7})")


def page_answer(page: Page[Json]) -> dict[str, Json]:
    """Return a page as lists are answered."""
    return {"data": page.items, "next_cursor": page.next_cursor}


def whole_answer(items: Json) -> dict[str, Json]:
    """Return a list that fits into one answer."""
    return {"data": items, "next_cursor": None}


def offset_cursor(offset: int) -> str:
    """Return the opaque cursor for lists that are paged by position."""
    return base64.urlsafe_b64encode(f"after:{offset}".encode()).decode().rstrip("=")


def offset_of(cursor: str) -> int:
    """Return the position that `offset_cursor` wrote.

    Raises:
        InvalidRequestError: It is not such a cursor.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        text = ""
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[1]) > MAX_OFFSET:
        message = "Send the next_cursor of the page before, unchanged."
        problem = FieldProblem(field="cursor", code="invalid_cursor", message=message)
        raise InvalidRequestError("The cursor is not one of this list.", problems=(problem,))
    return int(match[1])
