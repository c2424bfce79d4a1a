"""Answers that no schema writes: nothing at all, and JSON of the customers' own shape."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Response

from app.core import jsontext
from app.core.jsontypes import Json

# What a view may return besides a Response: (what the schema writes, status, headers).
Answer = tuple[Json, int, dict[str, str]]


def no_content() -> Response:
    """Return an answer without a body."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    del response.headers["Content-Type"]
    return response


def json_answer(
    value: Json, *, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """Return ``value`` as it is, with numbers digit by digit."""
    return Response(jsontext.encode(value), content_type=content_type, headers=headers)
