"""What every part of the benchmark works with."""

import contextlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks import postgres
from benchmarks.deployment import Deployment, relais
from benchmarks.receiver import Receiver, receiver
from benchmarks.rounds import Contestant, play


@dataclass(kw_only=True)
class Bench:
    """One run of the benchmark: its options, and what its parts share.

    ``settled``: how many settled deliveries a full store holds. ``stack`` is a part's own:
    what it enters ends with the part.
    """

    rounds: int
    seconds: float
    settled: int
    server: postgres.Server | None
    why_no_server: str = ""
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def engines(self) -> list[str]:
        """Return the engines that can be measured here."""
        return ["SQLite", "PostgreSQL"] if self.server else ["SQLite"]

    @property
    def skipped(self) -> dict[str, str]:
        """Return what cannot be measured on this machine, and why."""
        return {} if self.server else {"PostgreSQL": self.why_no_server}

    def folder(self) -> Path:
        """Return a folder that goes with the part."""
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory()))

    def receiver(self, host: str = "127.0.0.1") -> Receiver:
        """Return a sink that ends with the part."""
        return self.stack.enter_context(receiver(host))

    def database(self, engine: str) -> str:
        """Return the URL of a new database; empty for SQLite, which makes its own."""
        if engine == "SQLite":
            return ""
        assert self.server
        return self.server.new_database()

    def relais(self, engine: str) -> Deployment:
        """Return a running `relais serve` on a new database; it ends with the part."""
        return self.stack.enter_context(relais(self.database(engine)))

    def pids(self, engine: str) -> Mapping[str, int]:
        """Return the processes of the engine."""
        if engine == "SQLite":
            return {}
        assert self.server
        return {"database": self.server.pid}

    def play(self, contestants: list[Contestant], *, seconds: float | None = None) -> list[Any]:
        """Run contestants in turn and return their rows."""
        return play(contestants, rounds=self.rounds, seconds=seconds or self.seconds)


class Part(Protocol):
    """A module of `benchmarks.parts`."""

    TITLE: str

    def measure(self, bench: Bench, /) -> dict[str, Any]:
        """Return its title, its rows, and why what it skipped was skipped."""


def note(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)
