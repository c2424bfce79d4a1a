"""Readiness: whether this deployment keeps its promise now, and if not, why.

What is accepted must be stored, and what is stored must be delivered. So a probe writes, looks
at the tables' version, and asks whether a worker lives.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.core.errors import FieldProblem, UnavailableError
from app.core.ports import Tx
from app.core.presence import LATE_AFTER, SILENCE
from app.services.context import Context
from app.services.probes import Readiness

_NO_ANSWER: Final = Readiness(
    problems=(
        FieldProblem(
            field="store", code="no_answer", message="The database does not answer in time."
        ),
    )
)


def require_ready(context: Context) -> tuple[FieldProblem, ...]:
    """Return what is worth a look; takes two seconds at most, and is a second old at most.

    Raises:
        UnavailableError: It is not ready; ``problems`` say what is wrong.
    """
    found = context.probes.readiness.get(lambda: check_readiness(context)) or _NO_ANSWER
    if found.problems:
        raise UnavailableError(
            " ".join(one.message for one in found.problems), problems=found.problems
        )
    return found.warnings


def check_readiness(context: Context) -> Readiness:
    """Return what is wrong now: with the store, or else with those who work on it."""
    now = context.clock.now()
    problems = context.store.problems(now=now)
    if problems:
        return Readiness(problems=problems)
    try:
        with context.store.read() as tx:
            return Readiness(
                problems=tuple(_worker_problems(tx, now)), warnings=tuple(_late(tx, now))
            )
    except UnavailableError as problem:
        return Readiness(problems=(_unreadable(problem),))


def _worker_problems(tx: Tx, now: datetime) -> Iterator[FieldProblem]:
    latest = tx.workers(limit=1)
    if any(one.is_alive_at(now) for one in latest):
        return
    seconds = int(SILENCE.total_seconds())
    message = f"No worker was heard of for {seconds} seconds; nothing is delivered."
    yield FieldProblem(field="workers", code="none_alive", message=message)


def _late(tx: Tx, now: datetime) -> Iterator[FieldProblem]:
    oldest = tx.queue_depth(now=now).oldest_due_at
    if oldest is None or now - oldest <= LATE_AFTER:
        return
    minutes = int((now - oldest).total_seconds() // 60)
    message = f"The oldest due delivery has been due for {minutes} minutes."
    yield FieldProblem(field="queue", code="late", message=message)


def _unreadable(problem: UnavailableError) -> FieldProblem:
    return FieldProblem(field="store", code="unreadable", message=problem.message)
