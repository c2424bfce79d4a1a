"""How commands that go on end: by Ctrl-C, or by a supervisor's signal."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_Handler = Callable[[int, FrameType | None], None]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and a closed terminal do what Ctrl-C does: raise KeyboardInterrupt."""
    with _handled(signal.default_int_handler, signal.SIGTERM, signal.SIGHUP):
        yield


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise SystemExit(0), once: the end is not to be interrupted."""
    stops = (signal.SIGINT, signal.SIGTERM)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for one in stops:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(0)

    with _handled(stop, *stops):
        yield


@contextlib.contextmanager
def _handled(handler: _Handler, *signals: signal.Signals) -> Iterator[None]:
    before = {one: signal.signal(one, handler) for one in signals}
    try:
        yield
    finally:
        for one, earlier in before.items():
            signal.signal(one, earlier)
