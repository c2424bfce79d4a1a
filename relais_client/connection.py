"""Calls with retries: from a path and a document to a parsed answer or an exception."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeVar

from relais_client.errors import (
    TEMPORARY_STATUSES,
    Problem,
    RefusedError,
    RelaisError,
    UnexpectedAnswerError,
    UnreachableError,
    refusal,
)
from relais_client.exchange import Answer, Call, Exchanger, NoAnswer
from relais_client.retries import Retries, retry_after_s
from relais_client.wire import Json, to_bytes

T = TypeVar("T")
log = logging.getLogger("relais_client")

# Relais or its proxy turned the request away before acting on it.
_NOT_ACTED_ON = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Time and luck, so that tests need neither: seconds, a pause, [0, 1)."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    fraction: Callable[[], float]


class Connection:
    """Makes calls to one Relais until they succeed, are refused, or time is up."""

    def __init__(self, exchanger: Exchanger, *, retries: Retries, chance: Chance) -> None:
        self._exchanger = exchanger
        self._retries = retries
        self._chance = chance

    def get(self, path: str, **params: str | int) -> Json:
        """Return the document at ``path``."""
        return self.document(Call(method="GET", path=path, params=params))

    def pages(self, path: str, **params: str | int) -> Iterator[Json]:
        """Yield the entries of a list, asking for the next page when one is used up."""
        return self.pages_of(Call(method="GET", path=path, params=params))

    def pages_of(self, call: Call) -> Iterator[Json]:
        """Yield the entries of the list that a call reads; see `pages`."""
        cursor: str | None = ""
        while cursor is not None:
            at = {"cursor": cursor} if cursor else {}
            page = self.document(replace(call, params={**at, **call.params}))
            entries, cursor = read(lambda found: (found["data"], found.get("next_cursor")), page)
            yield from entries

    def document(self, call: Call) -> Json:
        """Make the call and return the document that comes back."""
        return read(Answer.document, self.perform(call))

    def send(self, method: str, path: str, body: Json, *, repeatable: bool = True) -> Json:
        """Send a document and return the one that comes back."""
        return read(Answer.document, self.submit(method, path, body, repeatable=repeatable))

    def submit(self, method: str, path: str, body: Json, *, repeatable: bool = True) -> Answer:
        """Send a document and return the whole answer."""
        encoded = to_bytes(body)
        return self.perform(Call(method=method, path=path, body=encoded, repeatable=repeatable))

    def perform(self, call: Call) -> Answer:
        """Make the call, with retries, and return its 2xx answer.

        Raises:
            RefusedError: Relais answered 4xx or 5xx, after retries where they make sense.
            UnreachableError: No answer came.
            UnexpectedAnswerError: A redirect, or a call that the HTTP library cannot make.
        """
        started = self._chance.monotonic()
        attempt = 1
        result = self._exchanger.exchange(call)
        while (wait_s := self._wait_s(call, result, attempt, started)) is not None:
            self._chance.sleep(wait_s)
            attempt += 1
            result = self._exchanger.exchange(call)
        if isinstance(result, Answer) and result.is_success:
            return result
        raise _error(result, attempt)

    def close(self) -> None:
        """Close the network connections."""
        self._exchanger.close()

    def _wait_s(
        self, call: Call, result: Answer | NoAnswer, attempt: int, started: float
    ) -> float | None:
        if not _is_worth_retrying(call, result):
            return None
        wait_s = self._retries.wait_s(
            attempt,
            elapsed_s=self._chance.monotonic() - started,
            jitter=self._chance.fraction(),
            retry_after_s=retry_after_s(result.headers) if isinstance(result, Answer) else None,
        )
        if wait_s is not None:
            known = {"method": call.method, "path": call.path, "attempt": attempt, "wait_s": wait_s}
            log.info("request.failed", extra=known | {"reason": _reason(result)})
        return wait_s


def read(parse: Callable[[Json], T], document: Json) -> T:
    """Return ``parse(document)``.

    Raises:
        UnexpectedAnswerError: The document is not what the contract promises.
    """
    try:
        return parse(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Not "from error": a JSON error holds the whole body, and that can be a new key.
        name = type(error).__name__
        missing = f" {error}" if isinstance(error, KeyError) else ""
        raise UnexpectedAnswerError(f"an answer that cannot be read: {name}{missing}") from None


def _is_worth_retrying(call: Call, result: Answer | NoAnswer) -> bool:
    """Say whether another attempt can help and cannot do the thing twice."""
    if isinstance(result, NoAnswer):
        return result.temporary and (call.repeatable or result.never_sent)
    temporary = result.status in TEMPORARY_STATUSES
    return temporary and (call.repeatable or result.status in _NOT_ACTED_ON)


def _error(result: Answer | NoAnswer, attempts: int) -> RelaisError:
    if isinstance(result, NoAnswer) and result.temporary:
        return UnreachableError(f"{result.reason} (attempts: {attempts})")
    if isinstance(result, Answer) and result.is_error:
        return _refusal(result)
    return UnexpectedAnswerError(f"{_reason(result)}; check the base URL")


def _refusal(answer: Answer) -> RefusedError:
    try:
        problem = Problem.from_json(answer.document(), status=answer.status)
    except (AttributeError, KeyError, TypeError, ValueError):
        problem = Problem.of_stranger(answer.status, answer.reason)
    return refusal(problem, retry_after_s=retry_after_s(answer.headers))


def _reason(result: Answer | NoAnswer) -> str:
    return result.reason if isinstance(result, NoAnswer) else f"status {result.status}"
