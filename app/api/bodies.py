"""Request bodies, read strictly: plain JSON of a bounded size, exact to the digit."""

from collections.abc import Mapping
from typing import Final

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from app.core import jsontext
from app.core.errors import BodyTooLargeError, FieldProblem, UnsupportedMediaTypeError
from app.core.jsontypes import Json

_JSON: Final = "application/json"
_UTF_8: Final = frozenset({"utf-8", "utf8"})


def has_body(request: Request) -> bool:
    """Return whether the request brings a body, or announces one."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def read_json(request: Request, *, max_bytes: int) -> Json:
    """Return the JSON value in the body.

    Raises:
        UnsupportedMediaTypeError: It is of another type, or compressed.
        BodyTooLargeError: It is larger than ``max_bytes``; no more than that was read.
        MalformedJsonError: It is not strict JSON.
    """
    _require_plain_json(request)
    return jsontext.decode(_read(request, max_bytes))


def read_json_of_parts(request: Request, key: str, *, max_bytes: int, max_part_bytes: int) -> Json:
    """Return the JSON value in the body, with small elements in the list ``key`` of it.

    Raises:
        BodyTooLargeError: It is larger than ``max_bytes``, or an element than
            ``max_part_bytes``; each of those is named.
        UnsupportedMediaTypeError: See `read_json`, as for MalformedJsonError.
    """
    _require_plain_json(request)
    body = _read(request, max_bytes)
    value = jsontext.decode(body)
    if len(body) > max_part_bytes:  # else no part can be: what we write is no longer
        _require_small_parts(value, key, max_bytes=max_part_bytes)
    return value


def _require_small_parts(body: Json, key: str, *, max_bytes: int) -> None:
    parts = body.get(key) if isinstance(body, Mapping) else None
    problems = tuple(
        FieldProblem(
            field=f"{key}.{index}",
            code="too_large",
            message=f"This one has more than {max_bytes:,} bytes.",
        )
        for index, part in enumerate(parts if isinstance(parts, list) else ())
        if len(jsontext.encode(part)) > max_bytes
    )
    if problems:
        raise BodyTooLargeError("Nothing was accepted.", problems=problems)


def _read(request: Request, max_bytes: int) -> bytes:
    # One more byte than allowed tells too much from enough: a stream without a length is
    # cut at the limit, silently.
    request.max_content_length = max_bytes + 1
    too_large = BodyTooLargeError(f"The body has more than {max_bytes:,} bytes.")
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise too_large from error
    if len(body) > max_bytes:
        raise too_large
    return body


def _require_plain_json(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError("Send the body as it is, without a Content-Encoding.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != _JSON or charset not in _UTF_8:
        raise UnsupportedMediaTypeError(f"Send JSON in UTF-8, with `Content-Type: {_JSON}`.")
