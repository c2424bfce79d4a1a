"""The attempts that wait for the addresses of their host, each with its own deadline."""

import heapq
import itertools
from typing import Generic, TypeVar

from app.core.deliveries import OutcomeKind
from app.transport.answers import Answer
from app.transport.resolver import Resolver

_TIMED_OUT = Answer(failure=OutcomeKind.DNS_FAILED, detail="look-up timed out")

T = TypeVar("T")


class _Waiting(Generic[T]):
    """One attempt in the waiting room; equal only to itself."""

    __slots__ = ("attempt", "host", "is_over")

    def __init__(self, host: str, attempt: T) -> None:
        self.host = host
        self.attempt = attempt
        self.is_over = False


class LookUps(Generic[T]):
    """The waiting room between one loop and its resolver. Belongs to the loop's thread.

    An attempt is whatever the loop wants back with the answer.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._by_host: dict[str, dict[_Waiting[T], None]] = {}  # in their order
        self._deadlines: list[tuple[float, int, _Waiting[T]]] = []  # a heap
        self._serial = itertools.count()

    def __len__(self) -> int:
        """Return how many attempts wait."""
        if not self._by_host:  # the usual case, asked for with each request
            return 0
        return sum(len(waiting) for waiting in self._by_host.values())

    def ask(self, host: str) -> Answer | None:
        """Return the answer where it is known; else it is being looked up now."""
        return self._resolver.ask(host)

    def wait(self, host: str, attempt: T, *, deadline: float) -> None:
        """Let ``attempt`` wait for the answer to a host that was asked for.

        ``deadline``: the monotonic time at which the look-up has failed.
        """
        waiting = _Waiting(host, attempt)
        self._by_host.setdefault(host, {})[waiting] = None
        heapq.heappush(self._deadlines, (deadline, next(self._serial), waiting))

    def next_deadline(self) -> float | None:
        """Return when the next attempt's time is up; None where no attempt waits."""
        while self._deadlines and self._deadlines[0][2].is_over:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def take(self, now: float) -> list[tuple[T, Answer]]:
        """Return the attempts whose waiting is over, with their answers."""
        return [*self._timed_out(now), *self._answered()]

    def close(self) -> None:
        """Drop every attempt, without answers. Never waits."""
        self._resolver.close()
        self._by_host.clear()
        self._deadlines.clear()

    def _answered(self) -> list[tuple[T, Answer]]:
        ended = []
        for host, answer in self._resolver.take():
            for waiting in self._by_host.pop(host, ()):
                waiting.is_over = True
                ended.append((waiting.attempt, answer))
        return ended

    def _timed_out(self, now: float) -> list[tuple[T, Answer]]:
        ended = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            _, _, waiting = heapq.heappop(self._deadlines)
            self._leave(waiting)
            ended.append((waiting.attempt, _TIMED_OUT))
        return ended

    def _leave(self, waiting: _Waiting[T]) -> None:
        others = self._by_host[waiting.host]
        del others[waiting]
        if not others:
            del self._by_host[waiting.host]
            self._resolver.drop(waiting.host)
