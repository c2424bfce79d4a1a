"""Turns what was raised into a problem answer; nothing else answers an error."""

import logging
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.api.answers import json_answer
from app.api.current import context, request_id
from app.api.errors import BAD_REQUEST, BY_STATUS, CONTENT_TYPE, INTERNAL, KINDS, Kind, problem_body
from app.core.errors import FieldProblem, RateLimitedError, RelaisError, UnavailableError

_LOG = logging.getLogger(__name__)
_RETRY_AFTER_S = 5
# Whose refusals are counted: the publisher's backend has to be told by somebody.
_PUBLISHING = frozenset({"Events.publish_event", "Events.publish_events"})


def register_refusals(app: Flask) -> None:
    """Answer every exception of the application with a problem."""
    app.register_error_handler(RelaisError, refuse)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _fail)


def refuse(error: RelaisError) -> Response:
    """Return the answer to a request that a use case refuses."""
    if isinstance(error, UnavailableError):
        _LOG.warning(
            "request.unavailable", extra={"reason": error.message, "request_id": request_id()}
        )
    if request.endpoint in _PUBLISHING:
        context().meter.ingest_refused(error.code)
    response = _answer(KINDS[type(error)], error.message, error.problems)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _refuse_http(error: HTTPException) -> Response:
    if error.code is None or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _fail(error)
    kind = BY_STATUS.get(error.code, BAD_REQUEST)
    response = _answer(kind, kind.meaning)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _fail(error: Exception) -> Response:
    # The answer shows nothing of our insides; the log has it, under the same name.
    _LOG.error("request.failed", exc_info=error, extra={"request_id": request_id()})
    return _answer(INTERNAL, INTERNAL.meaning)


def _answer(kind: Kind, detail: str, problems: tuple[FieldProblem, ...] = ()) -> Response:
    body = problem_body(kind, detail, request_id=request_id(), problems=problems)
    response = json_answer(body, content_type=CONTENT_TYPE)
    response.status_code = kind.status
    return response
