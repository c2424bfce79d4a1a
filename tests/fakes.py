"""Stand-ins for the ports that reach outside: time, chance and the bell."""

import random
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until somebody advances it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta = timedelta(seconds=1)) -> datetime:
        self._now += by
        return self._now


class SeededDice:
    """Chance that is the same in every run; ids count up, so they sort by age."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)  # noqa: S311  # the same in every run
        self._lock = threading.Lock()
        self._numbers = count(1)

    def new_id(self, prefix: str) -> str:
        with self._lock:
            return f"{prefix}_{next(self._numbers):026d}"

    def token(self, byte_count: int) -> bytes:
        with self._lock:
            return self._random.randbytes(byte_count)

    def fraction(self) -> float:
        with self._lock:
            return self._random.random()


class RecordingDoorbell:
    """A bell that counts; nobody has to wait for it."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1

    def wait(self, timeout_s: float) -> bool:
        del timeout_s
        return self.rings > 0


class PromptErrands:
    """Runs errands at once, so that tests see what they did."""

    def run(self, errand) -> None:
        errand()
