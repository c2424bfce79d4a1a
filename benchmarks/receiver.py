"""The sink's process, as the benchmark sees it."""

import contextlib
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import python, started

_SINK = str(Path(__file__).with_name("sink.py"))
_POLL_S = 0.005


@dataclass
class Receiver:
    """A running sink."""

    process: subprocess.Popen[str]
    url: str

    @property
    def pid(self) -> int:
        """Return its process."""
        return self.process.pid

    def count(self) -> int:
        """Return how many requests have arrived since the last `take`."""
        found: int = self._ask("count")
        return found

    def take(self) -> "Arrivals":
        """Return what arrived since the last `take`."""
        found = self._ask("take")
        return Arrivals(count=found["count"], first=found["first"])

    def sample(self) -> str:
        """Return the last request's body."""
        found: str = self._ask("sample")
        return found

    def wait_for(self, count: int, patience_s: float) -> float:
        """Wait until so many have arrived, and return the moment.

        Raises:
            TimeoutError: They did not come.
        """
        end = time.monotonic() + patience_s
        while (found := self.count()) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{found} of {count} deliveries arrived in {patience_s:.0f} s")
            time.sleep(_POLL_S)
        return time.monotonic()

    def _ask(self, order: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@dataclass(frozen=True)
class Arrivals:
    """What a sink received: when each event first came to each path, by "/path evt_…"."""

    count: int
    first: dict[str, float]

    def verify(self, event_ids: Iterable[str], paths: Iterable[str]) -> None:
        """Check that every event came exactly once to every path.

        Raises:
            AssertionError: One is missing, came twice, or was never published.
        """
        expected = Counter(f"{path} {one}" for path in paths for one in event_ids)
        missing = expected.keys() - self.first.keys()
        foreign = self.first.keys() - expected.keys()
        doubles = self.count - len(self.first)
        wrong = f"{len(missing)} missing, {len(foreign)} foreign, {doubles} duplicates"
        assert wrong == "0 missing, 0 foreign, 0 duplicates", wrong


@contextlib.contextmanager
def receiver(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """Run a sink."""
    with started(python(_SINK, "--host", host)) as process:
        assert process.stdout
        yield Receiver(process, f"http://{host}:{process.stdout.readline().strip()}")
