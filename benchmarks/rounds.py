"""Rounds: contestants run in turn, A B C A B C …, so that what drifts meets all of them."""

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What goes wrong in a run: a lost delivery, a time-out, a process that ended.
PROBLEMS = (AssertionError, LookupError, OSError, ValueError, subprocess.SubprocessError)
_LEAST_SIZE = 100
# A small run says how large one of a third of the time is, and that one, how large a whole
# one is: in a small run of something fast, its beginning and its end weigh too much.
_WARM_UPS = (1 / 3, 1)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run measured.

    Attributes:
        figures: By name with unit; the first one is what sizes the next runs where it is
            a rate.
        cpu_us: Microseconds of CPU per unit of work, by group of processes.
    """

    figures: Mapping[str, float]
    cpu_us: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """Something to measure.

    Attributes:
        run: Does so much work, and says what it measured.
        warm_up: The size of the first run that is not counted; its rate sizes the others.
            None: there is no warm-up, and every run is of ``size``.
        step: Sizes are multiples of it.
    """

    name: str
    run: Callable[[int], Run]
    warm_up: int | None = 500
    size: int = 0
    step: int = 1


@dataclass
class Row:
    """A contestant's runs so far."""

    contestant: Contestant
    size: int
    runs: list[Run] = field(default_factory=list)
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it for the results."""
        if self.failure:
            return {"name": self.contestant.name, "failure": self.failure}
        return {
            "name": self.contestant.name,
            "size": self.size,
            "figures": _spread([one.figures for one in self.runs]),
            "cpu_us": _spread([one.cpu_us for one in self.runs]),
        }


def play(contestants: Sequence[Contestant], *, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Run each one ``rounds`` times, in turn, for about ``seconds`` each time.

    One that fails drops out and its row says why; the others go on.
    """
    rows = [_warmed_up(one, seconds) for one in contestants]
    for _ in range(rounds):
        for row in rows:
            if not row.failure:
                _play_one(row)
    return [row.to_json() for row in rows]


def _warmed_up(contestant: Contestant, seconds: float) -> Row:
    """Return a row whose runs will take about so long."""
    row = Row(contestant, contestant.size if contestant.warm_up is None else contestant.warm_up)
    if contestant.warm_up is None:
        return row
    for share in _WARM_UPS:
        _play_one(row)
        if row.failure:
            break
        rate = next(iter(row.runs.pop().figures.values()))
        size = max(_LEAST_SIZE, rate * seconds * share)
        row.size = contestant.step * math.ceil(size / contestant.step)
    return row


def _play_one(row: Row) -> None:
    start = time.monotonic()
    try:
        row.runs.append(row.contestant.run(row.size))
    except PROBLEMS as problem:
        row.failure = f"{type(problem).__name__}: {problem}"
    last = row.failure or ", ".join(
        f"{value:,.2f} {name}" for name, value in row.runs[-1].figures.items()
    )
    took = time.monotonic() - start
    print(f"  {row.contestant.name} ({row.size:,}, {took:.1f} s): {last}", file=sys.stderr)


def _spread(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    names = list(runs[0]) if runs else []
    return {name: spread([one[name] for one in runs]) for name in names}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return the median, the least and the most of some values, and the values."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "values": list(values),
    }
