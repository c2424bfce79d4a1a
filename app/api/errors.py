"""How refusals look over HTTP: the one table from errors to statuses and problem bodies.

A new error: a class with a ``code`` in `app.core.errors`, and a line here. The OpenAPI
document, the pages under ``/problems`` and the tests follow from this table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from app.core import errors
from app.core.errors import FieldProblem, RelaisError
from app.core.jsontypes import Json

CONTENT_TYPE: Final = "application/problem+json"
# More than anybody reads; a hostile body can have as many problems as bytes.
MAX_PROBLEMS: Final = 100
_MAX_FIELD_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of problem: ``code`` never changes, ``meaning`` says what to do about it."""

    code: str
    status: HTTPStatus
    title: str
    meaning: str


KINDS: Final[Mapping[type[RelaisError], Kind]] = {
    errors.InvalidRequestError: Kind(
        code="invalid_request",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        title="The request cannot be carried out as it is",
        meaning="Parts of the request are wrong or missing; `errors` names each one, why, and "
        "what to do. The same request will be refused again.",
    ),
    errors.MalformedJsonError: Kind(
        code="malformed_json",
        status=HTTPStatus.BAD_REQUEST,
        title="The body is not strict JSON",
        meaning="The body must be one JSON value in UTF-8 without duplicate keys, NaN, "
        "lone surrogates or NUL characters, nested at most 32 levels deep.",
    ),
    errors.BodyTooLargeError: Kind(
        code="body_too_large",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        title="The body is too large",
        meaning="Send less at once: an event has at most 256 kB, a batch at most 10 MB.",
    ),
    errors.UnsupportedMediaTypeError: Kind(
        code="unsupported_media_type",
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        title="The body is not plain JSON",
        meaning="Send `Content-Type: application/json`, without a Content-Encoding.",
    ),
    errors.UnauthenticatedError: Kind(
        code="unauthenticated",
        status=HTTPStatus.UNAUTHORIZED,
        title="A valid API key is needed",
        meaning="Send an API key as `Authorization: Bearer …` or `X-API-Key: …`. The one that "
        "was sent is missing, mistyped, unknown, expired or revoked.",
    ),
    errors.ForbiddenError: Kind(
        code="forbidden",
        status=HTTPStatus.FORBIDDEN,
        title="This API key is not for this",
        meaning="The key is valid, but of the other scope: account keys speak for one account, "
        "publisher keys for the vendor. A publisher key may act for an account with the header "
        "`Relais-Account`.",
    ),
    errors.NotFoundError: Kind(
        code="not_found",
        status=HTTPStatus.NOT_FOUND,
        title="There is nothing here",
        meaning="Nothing has this id, or it belongs to somebody else: the answer is the same.",
    ),
    errors.ConflictError: Kind(
        code="conflict",
        status=HTTPStatus.CONFLICT,
        title="The request contradicts what exists",
        meaning="Look at what is there now; `detail` says what is in the way.",
    ),
    errors.IdempotencyConflictError: Kind(
        code="idempotency_conflict",
        status=HTTPStatus.CONFLICT,
        title="The idempotency key was used for something else",
        meaning="Use a new key for a new event, or send the very same event again.",
    ),
    errors.TriggerUnavailableError: Kind(
        code="trigger_unavailable",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        title="This account cannot use the trigger now",
        meaning="The account lacks what the trigger needs; `detail` says what.",
    ),
    errors.LimitReachedError: Kind(
        code="limit_reached",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        title="A limit is reached",
        meaning="The account has as many of these as it may; delete some that are not used.",
    ),
    errors.RateLimitedError: Kind(
        code="rate_limited",
        status=HTTPStatus.TOO_MANY_REQUESTS,
        title="Too many requests of this kind",
        meaning="Nothing was done. Try again after the seconds in `Retry-After`.",
    ),
    errors.UnavailableError: Kind(
        code="unavailable",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        title="Relais cannot do this right now",
        meaning="Nothing was accepted. Try again after the seconds in `Retry-After`.",
    ),
}
BAD_REQUEST: Final = Kind(
    code="bad_request",
    status=HTTPStatus.BAD_REQUEST,
    title="The request is not understood",
    meaning="The request breaks a rule of HTTP, or it broke off.",
)
METHOD_NOT_ALLOWED: Final = Kind(
    code="method_not_allowed",
    status=HTTPStatus.METHOD_NOT_ALLOWED,
    title="This method is not for this path",
    meaning="The header `Allow` lists the methods of this path.",
)
INTERNAL: Final = Kind(
    code="internal",
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title="Something went wrong on our side",
    meaning="This is a fault of Relais. Tell whoever operates it the `request_id`.",
)
BY_CODE: Final[Mapping[str, Kind]] = {
    kind.code: kind for kind in (*KINDS.values(), BAD_REQUEST, METHOD_NOT_ALLOWED, INTERNAL)
}
# What the framework refuses by itself.
BY_STATUS: Final[Mapping[int, Kind]] = {
    HTTPStatus.BAD_REQUEST: BAD_REQUEST,
    HTTPStatus.NOT_FOUND: KINDS[errors.NotFoundError],
    HTTPStatus.METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: KINDS[errors.BodyTooLargeError],
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: KINDS[errors.UnsupportedMediaTypeError],
}


def problem_body(
    kind: Kind, detail: str, *, request_id: str, problems: Sequence[FieldProblem] = ()
) -> dict[str, Json]:
    """Return the body of a problem (RFC 9457); ``errors`` only where fields are to blame."""
    body: dict[str, Json] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status.value,
        "code": kind.code,
        "detail": detail,
        "request_id": request_id,
    }
    if problems:
        body["errors"] = [field_problem(one) for one in problems[:MAX_PROBLEMS]]
    return body


def field_problem(problem: FieldProblem) -> dict[str, Json]:
    """Return one thing that is wrong, as answers show it."""
    field = problem.field[:_MAX_FIELD_CHARS]
    return {"field": field, "code": problem.code, "message": problem.message}
