"""Answers for probes: never late, never older than a moment, however the store fares."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.core.errors import FieldProblem
from app.core.metering import Numbers, Series

T = TypeVar("T")

log = logging.getLogger(__name__)


class PromptAnswer(Generic[T]):
    """The answer to one question, asked of the store by one thread at a time.

    Whoever wants it waits ``patience_s`` at most. A question that takes longer goes on in
    its thread, so a store that hangs holds up one thread, not one for each probe.
    """

    def __init__(
        self,
        *,
        fresh_s: float = 1.0,
        patience_s: float = 2.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; an answer serves everybody for ``fresh_s`` seconds."""
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asking: _Asking[T] | None = None

    def get(self, ask: Callable[[], T]) -> T | None:
        """Return the answer; None where it does not come in time, or ``ask`` raised."""
        with self._lock:
            asking = self._asking
            if asking is None or self._is_stale(asking):
                asking = self._asking = _Asking(ask, self._monotonic)
                threading.Thread(target=asking.run, name="relais-probe", daemon=True).start()
        asking.done.wait(self._patience_s)
        return asking.answer

    def _is_stale(self, asking: "_Asking[T]") -> bool:
        ended_at = asking.ended_at
        return ended_at is not None and self._monotonic() - ended_at >= self._fresh_s


class _Asking(Generic[T]):
    """One question under way, or answered."""

    def __init__(self, ask: Callable[[], T], monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self.done = threading.Event()
        self.answer: T | None = None
        self.ended_at: float | None = None

    def run(self) -> None:
        """Ask, and keep what comes; what is raised goes to the log."""
        try:
            self.answer = self._ask()
        except Exception:
            log.exception("probe.failed")
        finally:
            self.ended_at = self._monotonic()
            self.done.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What keeps the deployment from working, and what is merely worth a look."""

    problems: tuple[FieldProblem, ...] = ()
    warnings: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Probes:
    """The last answers to what probes ask; part of the `Context`."""

    readiness: PromptAnswer[Readiness] = field(default_factory=PromptAnswer)
    queue: PromptAnswer[Mapping[Series, Numbers] | None] = field(default_factory=PromptAnswer)
