"""What can go wrong between a vendor's backend and Relais, as exceptions.

None of them holds the API key, the request or the HTTP library's own exception, so
they can be logged, reported and pickled as they are.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

from relais_client.wire import Json

# Answers that say "not now": the same request can succeed later.
TEMPORARY_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One thing wrong with one part of a request.

    Attributes:
        field: A dotted path into the request, ``data.price`` or ``events.3.data.price``.
        code: Stable and machine-readable.
        message: For people: what is wrong and what to do.
    """

    field: str
    code: str
    message: str

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read one entry of ``errors`` or ``warnings``."""
        return cls(field=document["field"], code=document["code"], message=document["message"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error answer of Relais (``application/problem+json``, RFC 9457).

    Attributes:
        code: Stable: ``invalid_request``, ``not_found``, ``idempotency_conflict``, …;
            ``http_<status>`` where something before Relais answered, such as a proxy.
        errors: What is wrong with which field; empty where no field is to blame.
        request_id: Names the request in the log of Relais.
    """

    status: int
    code: str
    title: str
    detail: str = ""
    errors: tuple[FieldProblem, ...] = ()
    request_id: str | None = None

    @classmethod
    def from_json(cls, document: Json, *, status: int) -> Self:
        """Read a problem document."""
        return cls(
            status=status,
            code=document["code"],
            title=document["title"],
            detail=document.get("detail") or "",
            errors=tuple(map(FieldProblem.from_json, document.get("errors") or ())),
            request_id=document.get("request_id"),
        )

    @classmethod
    def of_stranger(cls, status: int, reason: str) -> Self:
        """Return what can be said of an error answer that Relais did not write."""
        return cls(status=status, code=f"http_{status}", title=reason or "no reason given")


class RelaisError(Exception):
    """A call that did not succeed; ``temporary`` says whether it may do so later.

    After a temporary error the outcome of a publish is unknown or it was not accepted:
    publish again later *with the same idempotency key*.
    """

    temporary: bool = False


class RefusedError(RelaisError):
    """Relais answered with an error; ``problem`` is the whole answer.

    ``retry_after_s`` is how many seconds Relais asked to wait, where it did.
    """

    def __init__(self, problem: Problem, retry_after_s: float | None = None) -> None:
        super().__init__(problem, retry_after_s)
        self.problem = problem
        self.retry_after_s = retry_after_s
        self.temporary = problem.status in TEMPORARY_STATUSES

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """Return the stable code of the problem."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """Return what happened, for people."""
        return self.problem.detail

    @property
    def errors(self) -> tuple[FieldProblem, ...]:
        """Return what is wrong with which field."""
        return self.problem.errors

    def __str__(self) -> str:
        fields = (f"{error.field}: {error.message}" for error in self.errors)
        explanation = "; ".join((self.detail or self.problem.title, *fields))
        request = f" [request {self.problem.request_id}]" if self.problem.request_id else ""
        return f"{self.code} ({self.status}): {explanation}{request}"


class UnauthenticatedError(RefusedError):
    """The key is unknown, expired or revoked (401)."""


class NotFoundError(RefusedError):
    """Nothing by that id that this key can see (404)."""


class UnreachableError(RelaisError):
    """No answer: no connection, a dropped one, or a time-out, after every retry."""

    temporary = True


class UnexpectedAnswerError(RelaisError):
    """Something answered that does not speak as Relais does; check the base URL."""


def refusal(problem: Problem, *, retry_after_s: float | None) -> RefusedError:
    """Return the exception for an error answer."""
    by_status: dict[int, type[RefusedError]] = {
        HTTPStatus.UNAUTHORIZED: UnauthenticatedError,
        HTTPStatus.NOT_FOUND: NotFoundError,
    }
    kind = by_status.get(problem.status, RefusedError)
    return kind(problem, retry_after_s)
