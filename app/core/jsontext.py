"""JSON text, strictly in and exactly out.

What is decoded and encoded again says the same, digit by digit: a number that Python
would write differently (``1.50``, ``1e5``, thirty digits) becomes an `ExactNumber`, which
remembers its text. Texts that readers understand differently (duplicate keys, ``NaN``,
lone surrogates, NUL characters) are refused. Time is linear in the size of the body.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import total_ordering
from itertools import accumulate
from math import isfinite
from typing import Any, NoReturn

import orjson

from app.core.errors import MalformedJsonError
from app.core.jsontypes import Json

MAX_DEPTH = 32
MAX_NUMBER_CHARS = 64
# A decimal exponent beyond this carries no meaning, but makes arithmetic expensive.
MAX_EXPONENT = 400

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_WHITESPACE = b" \t\r\n"
# An unterminated string counts as one up to the end, so that each byte is read once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# What orjson reads and writes as an integer: 64 bits, with or without a sign.
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1
_SHOWN_KEY_CHARS = 50


@total_ordering
class ExactNumber:
    """A JSON number whose text must not change, such as ``1.50`` or 2**64.

    It compares by value with numbers of every kind. A float stands for the shortest
    decimal that means it, as in JSON: ``ExactNumber("0.10") == 0.1``.
    """

    __slots__ = ("text", "value")

    text: str
    value: Decimal

    def __init__(self, text: str) -> None:
        """Make the number from ``text``, which must be a JSON number."""
        self.text = text
        self.value = Decimal(text)

    def __repr__(self) -> str:
        return f"ExactNumber({self.text!r})"

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        value = _decimal(other)
        return NotImplemented if value is None else self.value == value

    def __lt__(self, other: object) -> bool:
        value = _decimal(other)
        return NotImplemented if value is None else self.value < value

    def __hash__(self) -> int:
        if self.value == self.value.to_integral_value():
            return hash(self.value)
        nearest = float(self.value)
        return hash(nearest) if Decimal(repr(nearest)) == self.value else hash(self.value)


def decode(body: bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """Return the value that a request body holds.

    Raises:
        MalformedJsonError: With the ``reason`` empty_body, byte_order_mark, not_utf8,
            too_deep, syntax, number_too_long, not_a_number, duplicate_key,
            nul_character or lone_surrogate.
    """
    if not body.strip(_WHITESPACE):
        _refuse("empty_body", "The body is empty; send a JSON value.")
    if body.startswith(_BYTE_ORDER_MARKS):
        _refuse("byte_order_mark", "The body starts with a byte order mark; send plain UTF-8.")
    if b"\0" in body:
        _refuse("nul_character", "The body holds a NUL byte; send plain UTF-8 without it.")
    _check_depth(body, max_depth)
    suspect = _SUSPECT_ESCAPE.search(body) is not None
    if not suspect and (value := _decode_canonical(body)) is not None:
        return value
    value = _decode_strictly(_utf8(body))
    if suspect:
        _check_strings(value)
    return value


def encode(value: Json) -> bytes:
    """Return ``value`` as compact UTF-8, with keys in their order and numbers exact."""
    return orjson.dumps(value, default=_encode_other)


def encode_sorted(value: Json) -> bytes:
    """Return ``value`` as `encode` does, but with keys sorted: equal objects, equal bytes."""
    return orjson.dumps(value, default=_encode_other, option=orjson.OPT_SORT_KEYS)


def _decimal(other: object) -> Decimal | None:
    if isinstance(other, ExactNumber):
        return other.value
    if isinstance(other, int) and not isinstance(other, bool):
        return Decimal(other)
    if isinstance(other, float) and isfinite(other):
        return Decimal(int(other)) if other.is_integer() else Decimal(repr(other))
    return None


def _encode_other(value: object) -> Any:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _refuse(reason: str, message: str) -> NoReturn:
    raise MalformedJsonError(message, reason=reason)


def _check_depth(body: bytes, max_depth: int) -> None:
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return
    brackets = _STRING.sub(b"", body).translate(None, _NOT_BRACKETS)
    deepest = max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
    if deepest > max_depth:
        _refuse("too_deep", f"The body nests more than {max_depth} levels deep.")


def _decode_canonical(body: bytes) -> Json | None:
    """Return the value of a body that is already what `encode` would make, or None.

    Such a body has no duplicate key and no number that would change; most publishers
    that write compact JSON send one, and this is several times faster.
    """
    try:
        value = orjson.loads(body)
        return value if orjson.dumps(value) == body else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _utf8(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        _refuse("not_utf8", f"The body is not UTF-8 at byte {error.start}.")


def _decode_strictly(text: str) -> Json:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at").removesuffix(" starting")
        _refuse("syntax", f"Line {error.lineno}, column {error.colno}: {what}.")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("duplicate_key", f"The key {_duplicate(pairs)!a} appears more than once.")
    return members


def _duplicate(pairs: list[tuple[str, Json]]) -> str:
    counts = Counter(key for key, _ in pairs)
    return counts.most_common(1)[0][0][:_SHOWN_KEY_CHARS]


def _integer(text: str) -> int | ExactNumber:
    _check_length(text)
    value = int(text)
    is_exact = _MIN_INTEGER <= value <= _MAX_INTEGER and str(value) == text
    return value if is_exact else ExactNumber(text)


def _fraction(text: str) -> float | ExactNumber:
    _check_length(text)
    value = float(text)
    if not isfinite(value):
        _not_a_number(text)
    if orjson.dumps(value) == text.encode():
        return value
    exact = _exact(text)
    if abs(exact.value.adjusted()) > MAX_EXPONENT:
        _number_too_long()
    return exact


def _exact(text: str) -> ExactNumber:
    try:
        return ExactNumber(text)
    except InvalidOperation:
        _number_too_long()


def _check_length(text: str) -> None:
    if len(text) > MAX_NUMBER_CHARS:
        _number_too_long()


def _number_too_long() -> NoReturn:
    _refuse(
        "number_too_long",
        f"A number has more than {MAX_NUMBER_CHARS} characters or an exponent beyond "
        f"{MAX_EXPONENT}; send it as a string.",
    )


def _not_a_number(text: str) -> NoReturn:
    _refuse("not_a_number", f"{text} is not a number in JSON; send null or a string.")


def _check_strings(value: Json) -> None:
    for text in _strings(value):
        if "\0" in text:
            _refuse("nul_character", "A string holds the character U+0000; leave it out.")
        if not text.isascii() and _has_lone_surrogate(text):
            _refuse("lone_surrogate", "A string holds half of a surrogate pair; send both halves.")


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _strings(member)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_fraction,
    parse_int=_integer,
    parse_constant=_not_a_number,
)
