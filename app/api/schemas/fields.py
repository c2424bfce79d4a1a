"""Fields that say what is wrong with a stable code, and take no value for another.

marshmallow's own fields are generous (``"yes"`` is true, ``"12"`` is a number), and
their messages have no codes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from marshmallow import ValidationError, fields, validate
from marshmallow.types import ErrorMessages

from app.core import clock, jsontext
from app.core.errors import MalformedJsonError
from app.core.jsontypes import Json


class Coded(str):
    """A message with the stable code of what it says; marshmallow passes it through."""

    __slots__ = ("code",)

    code: str

    def __new__(cls, code: str, message: str) -> Self:
        """Make the message."""
        made = super().__new__(cls, message)
        made.code = code
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # str has one part
        return self.code, str(self)

    def format(self, *args: object, **kwargs: object) -> Self:
        """Return the message with its gaps filled in; it keeps its code."""
        return type(self)(self.code, super().format(*args, **kwargs))


def _says(invalid: str) -> ErrorMessages:
    """Return what a field of another type than it should be is told."""
    return {"invalid": Coded("wrong_type", invalid)}


class _Strict:
    """Says everything with codes."""

    default_error_messages: ErrorMessages = {  # noqa: RUF012  # marshmallow merges copies
        "required": Coded("required", "This is required."),
        "null": Coded("wrong_type", "This cannot be null."),
        "validator_failed": Coded("invalid", "This value cannot be used here."),
    }


class Text(_Strict, fields.String):
    """A string."""

    default_error_messages = _says("This has to be a string.")

    def __init__(
        self, *, min_length: int = 0, max_length: int | None = None, **kwargs: Any
    ) -> None:
        if min_length or max_length:
            length = validate.Length(min=min_length or None, max=max_length)
            kwargs["validate"] = [length, *kwargs.get("validate", [])]
        super().__init__(**kwargs)


class IdText(Text):
    """An id of the vendor's: text, or a number that is read as text."""

    def _deserialize(self, value: Json, attr: str | None, data: Json, **kwargs: Any) -> str:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return super()._deserialize(str(value) if is_number else value, attr, data, **kwargs)


class Member(Text):
    """A member of a closed set."""

    def __init__(self, allowed: type[StrEnum] | list[str], **kwargs: Any) -> None:
        allowed = [str(one) for one in allowed]
        unknown = Coded("unknown_choice", "This has to be one of: {choices}.")
        super().__init__(validate=[validate.OneOf(allowed, error=unknown)], **kwargs)


class Flag(_Strict, fields.Boolean):
    """True or false, in a body."""

    default_error_messages = _says("This has to be true or false.")

    def _deserialize(self, value: Json, *_args: Any, **_kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Whole(_Strict, fields.Integer):
    """A whole number in a body; ``low`` and ``high`` bound it."""

    default_error_messages = _says("This has to be a whole number.")

    def __init__(self, *, low: int | None = None, high: int | None = None, **kwargs: Any) -> None:
        if low is not None or high is not None:
            kwargs["validate"] = validate.Range(min=low, max=high)
        super().__init__(strict=True, **kwargs)


class QueryWhole(Whole):
    """A whole number in a query: its decimal digits."""

    def _deserialize(self, value: Json, attr: str | None, data: Json, **kwargs: Any) -> int:
        text = value.removeprefix("-") if isinstance(value, str) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - 64 bits
            raise self.make_error("invalid")
        return super()._deserialize(int(value), attr, data, **kwargs)


class Moment(_Strict, fields.DateTime):
    """A time: ISO 8601, with an offset when it comes in, in UTC when it goes out."""

    default_error_messages = _says(
        "This has to be an ISO 8601 time with an offset, such as 2031-03-04T18:00:00+01:00."
    )

    def _serialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else clock.to_text(value)

    def _deserialize(self, value: Json, *_args: Any, **_kwargs: Any) -> datetime:
        moment = clock.parse(value) if isinstance(value, str) else None
        if moment is None:
            raise self.make_error("invalid")
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:  # the year 0 or 10000 in UTC
            raise self.make_error("invalid") from error


class JsonValue(_Strict, fields.Raw):
    """Any JSON value, exact to the digit."""


class JsonObject(_Strict, fields.Dict):
    """A JSON object with keys of its own, exact to the digit."""

    default_error_messages = _says("This has to be a JSON object.")

    def _deserialize(self, value: Json, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        loaded: dict[Any, Any]
        try:
            loaded = super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]  # marshmallow left it untyped
        except ValidationError as error:
            raise ValidationError(_by_key(error.messages)) from error
        return loaded


def _by_key(messages: Any) -> Any:
    """Return what is wrong by key; marshmallow tells a key's problems from its value's."""
    if not isinstance(messages, Mapping):
        return messages
    return {key: inner.get("value") or inner["key"] for key, inner in messages.items()}


class ListOf(_Strict, fields.List[Any]):
    """A list."""

    default_error_messages = _says("This has to be a list.")

    def __init__(self, inner: Any, *, low: int = 0, high: int | None = None, **kwargs: Any) -> None:
        if low or high:
            kwargs["validate"] = validate.Length(min=low or None, max=high)
        super().__init__(inner, **kwargs)

    def _deserialize(self, value: Json, attr: str | None, data: Json, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class Part(_Strict, fields.Nested):
    """An object of another shape."""


class QueryValues(ListOf):
    """Values of a query parameter: one with commas, or the parameter several times.

    A repeated parameter's values are taken whole, so ids with commas can be sent.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Text(), **kwargs)

    def _deserialize(self, value: Json, attr: str | None, data: Json, **kwargs: Any) -> list[Any]:
        given = value[0].split(",") if len(value) == 1 else value
        trimmed = [one.strip() for one in given]
        return super()._deserialize([one for one in trimmed if one], attr, data, **kwargs)


class QueryJson(Text):
    """A JSON value in a query parameter."""

    def _deserialize(self, value: Json, attr: str | None, data: Json, **kwargs: Any) -> Json:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.strip():
            return None
        try:
            return jsontext.decode(text.encode())
        except (MalformedJsonError, UnicodeEncodeError) as error:
            message = Coded("invalid", f"This has to be JSON. {error}")
            raise ValidationError(message) from error
