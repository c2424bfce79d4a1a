"""What a target asks for with ``Retry-After`` (RFC 9110 §10.2.3)."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.core.retries import MAX_RETRY_AFTER

_MAX_SECONDS = int(MAX_RETRY_AFTER.total_seconds())
# Longer digit strings are capped without being converted: that costs quadratic time.
_MAX_DIGITS = 10
_LIKE_A_DATE = re.compile(r"[A-Z][a-z]{2,8},? [A-Za-z0-9: -]{10,30}")


def parse_retry_after(text: str, *, now: datetime) -> int | None:
    """Return the wait in whole seconds, at most a day, or None for nonsense.

    Accepted are a number of seconds and an HTTP date in the future; a date that has
    passed asks for nothing.

    Args:
        text: The header's value; anything at all may come.
        now: The aware time at which the answer arrived.
    """
    text = text.strip(" \t")
    if text.isascii() and text.isdigit():
        return _MAX_SECONDS if len(text) > _MAX_DIGITS else min(int(text), _MAX_SECONDS)
    date = _http_date(text)
    if date is None or date <= now:
        return None
    return min(math.ceil((date - now).total_seconds()), _MAX_SECONDS)


def _http_date(text: str) -> datetime | None:
    # Every form of an HTTP date begins with the name of a weekday; the standard library
    # reads much more, and ignores what follows a date.
    if not _LIKE_A_DATE.fullmatch(text):
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # HTTP dates are in GMT; the form without a zone means the same.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
