"""How times are written. The clock itself is a port (`app.core.ports.Clock`)."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC, with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime | None:
    """Return the aware moment that ISO 8601 ``text`` names; None if it names none.

    A time without an offset names no moment, so it is None as well; so does one that
    lies outside the calendar in UTC.
    """
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
