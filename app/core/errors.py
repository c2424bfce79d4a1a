"""What Relais refuses, in domain words; each refusal has a stable ``code``.

HTTP is not known here: `app.api.errors` maps every class to a status, and a test
fails when one is missing from that table.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One thing wrong with one part of a request.

    ``field`` is a dotted path into the request (``filters.all.0.field``); ``code`` is
    stable and machine-readable; ``message`` says what is wrong and what to do.
    """

    field: str
    code: str
    message: str


class RelaisError(Exception):
    """A request that Relais refuses."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = problems


class InvalidRequestError(RelaisError):
    """Well-formed JSON that does not say something we can do; see ``problems``."""

    code = "invalid_request"


class MalformedJsonError(RelaisError):
    """A body that is not strict JSON; the ``reason`` says which rule it breaks."""

    code = "malformed_json"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message, problems=(FieldProblem(field="", code=reason, message=message),))
        self.reason = reason


class BodyTooLargeError(RelaisError):
    """A request body above the size limit."""

    code = "body_too_large"


class UnsupportedMediaTypeError(RelaisError):
    """A request body that is not plain ``application/json``."""

    code = "unsupported_media_type"


class UnauthenticatedError(RelaisError):
    """No API key, or one that is unknown, expired or revoked."""

    code = "unauthenticated"


class ForbiddenError(RelaisError):
    """A valid API key whose scope does not allow this."""

    code = "forbidden"


class NotFoundError(RelaisError):
    """Nothing by that id, or it belongs to somebody else: the answer is the same."""

    code = "not_found"


class ConflictError(RelaisError):
    """The request contradicts what exists already."""

    code = "conflict"


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used before, for a different body."""

    code = "idempotency_conflict"


class TriggerUnavailableError(RelaisError):
    """A trigger that this account cannot use now; the message says why."""

    code = "trigger_unavailable"


class LimitReachedError(RelaisError):
    """A cap of the deployment, such as subscriptions per account, is reached."""

    code = "limit_reached"


class RateLimitedError(RelaisError):
    """Asked too often; the same request can be granted after ``retry_after_seconds``."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(RelaisError):
    """The store cannot be written now; nothing was accepted, try again."""

    code = "unavailable"


class CatalogError(Exception):
    """A catalog file that does not follow the rules; one line per problem found."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
