"""A process and its children: started together, ended together, and started again.

The children are forked, so that they share the memory of all that was imported before.
When the parent is gone, however it went, they go at once: whoever starts Relais again
finds its port free, and what was in flight is attempted again when its lease runs out.
"""

import gc
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import TracebackType
from typing import Final, Self

log = logging.getLogger(__name__)

_FORK: Final = multiprocessing.get_context("fork")
# A child that lived longer than this had begun well.
_QUICK_DEATH_S: Final = 30.0
_FIRST_DELAY_S: Final = 0.5
_MOST_QUICK_DEATHS: Final = 5
# Longer than a worker lets its requests finish.
_PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Role:
    """What one child does, until SIGTERM; it calls what it is given once it is ready."""

    name: str
    run: Callable[[Callable[[], None]], None]


class FamilyError(Exception):
    """A child does not stay alive."""


@dataclass
class _Child:
    """The process that has a role now, or the next one to be started for it."""

    role: Role
    start_at: float = 0.0
    quick_deaths: int = 0
    started_at: float = 0.0
    process: ForkProcess | None = None
    readiness: Connection | None = None
    is_ready: bool = False


class Family:
    """Children by their roles; leaving the context stops them all, gracefully."""

    def __init__(self, roles: Sequence[Role]) -> None:
        """Make it; `keep` starts the children. Open nothing that must not be forked."""
        self._children = [_Child(role) for role in roles]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        processes = [one.process for one in self._children if one.process is not None]
        for process in processes:
            process.terminate()
        too_late = time.monotonic() + _PATIENCE_S
        for process in processes:
            process.join(max(0.0, too_late - time.monotonic()))
            process.kill()
            process.join()

    def keep(self, on_ready: Callable[[], None]) -> None:
        """Keep a child in every role; never returns.

        Args:
            on_ready: Called once, when all of them are ready for the first time.

        Raises:
            FamilyError: A child died time and again soon after its start.
        """
        gc.freeze()  # a collection would touch, and so copy, what the children share
        awaited = True
        while True:
            self._start_due()
            self._await_news()
            for child in self._children:
                self._look_after(child)
            if awaited and all(child.is_ready for child in self._children):
                awaited = False
                on_ready()

    def _start_due(self) -> None:
        for child in self._children:
            if child.process is None and child.start_at <= time.monotonic():
                child.readiness, told = _FORK.Pipe(duplex=False)
                child.process = _FORK.Process(
                    target=_live, args=(child.role, told), name=f"relais {child.role.name}"
                )
                child.process.start()
                told.close()
                child.started_at, child.is_ready = time.monotonic(), False

    def _await_news(self) -> None:
        """Wait until a child dies, is ready, or is due to be started."""
        alive = [one.process.sentinel for one in self._children if one.process is not None]
        unready = [one.readiness for one in self._children if one.readiness is not None]
        starts = [one.start_at for one in self._children if one.process is None]
        next_start_s = min(starts) - time.monotonic() if starts else None
        wait([*alive, *unready], None if next_start_s is None else max(0.0, next_start_s))

    def _look_after(self, child: _Child) -> None:
        if child.readiness is not None and child.readiness.poll():
            child.is_ready = _was_told(child.readiness)
            child.readiness.close()
            child.readiness = None
        if child.process is not None and not child.process.is_alive():
            self._bury(child, child.process.exitcode)

    def _bury(self, child: _Child, exit_code: int | None) -> None:
        """Plan when to start another one, later with each quick death."""
        now = time.monotonic()
        is_quick = now - child.started_at < _QUICK_DEATH_S
        child.quick_deaths = child.quick_deaths + 1 if is_quick else 1
        if child.quick_deaths >= _MOST_QUICK_DEATHS:
            raise FamilyError(
                f"The {child.role.name} process died {child.quick_deaths} times in a row, the "
                f"last time with exit code {exit_code}. Its log lines say why."
            )
        log.warning("process.died", extra={"role": child.role.name, "exit_code": exit_code})
        child.process, child.is_ready = None, False
        child.start_at = now + _FIRST_DELAY_S * 2 ** (child.quick_deaths - 1)


def _was_told(readiness: Connection) -> bool:
    try:
        return bool(readiness.recv())
    except EOFError:  # it died first
        return False


def _live(role: Role, told: Connection) -> None:
    """Be a child."""
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()

    def tell() -> None:
        told.send(True)
        told.close()

    role.run(tell)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
