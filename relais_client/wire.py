"""How values are written to the wire and read from it: strict JSON, aware times."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

# A parsed JSON value. ``Any`` is honest here: it enters from outside.
Json = Any
JsonObject = Mapping[str, Json]


def to_bytes(document: Json) -> bytes:
    """Return ``document`` as UTF-8 JSON.

    Beyond the JSON types it takes mappings, aware datetimes, dates and UUIDs.

    Raises:
        TypeError: A value of another type; Decimal is one, since only the caller
            knows whether it should become a number or a text.
        ValueError: A naive datetime, NaN, an infinity, or text that is not Unicode.
    """
    text = json.dumps(document, default=_encode, allow_nan=False, ensure_ascii=False)
    return text.encode()


def time_text(moment: datetime, *, name: str) -> str:
    """Return an aware moment as ISO 8601 in UTC; ``name`` is for the error message.

    Raises:
        ValueError: The datetime is naive, so it names no moment.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{name}: {moment.isoformat()} has no offset; use an aware datetime")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the aware moment in an answer; raises ValueError where it is none."""
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("a time without an offset")
    return moment


def parse_optional_time(text: str | None) -> datetime | None:
    """Return `parse_time` of ``text``, or None for None."""
    return None if text is None else parse_time(text)


def without_none(**fields: Json) -> dict[str, Json]:
    """Return the fields that have a value: what was not given is not sent."""
    return {name: value for name, value in fields.items() if value is not None}


def segment(text: str) -> str:
    """Return ``text`` as one segment of a URL's path.

    Raises:
        ValueError: It is empty or a dot segment, which would name another path.
    """
    if text in {"", ".", ".."}:
        raise ValueError(f"{text!r} is not an id")
    return quote(text, safe="")


def _encode(value: object) -> Json:
    match value:
        case datetime():
            # The offset stays: a product may care at which local hour it happened.
            time_text(value, name="data")
            return value.isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"data: {type(value).__name__} has no JSON form; convert it first")
