"""One run of one scenario on one engine: its sizes, its worlds, and its verdict."""

import contextlib
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torture.checker import Findings, check
from tests.torture.children import Nursery
from tests.torture.world import World

ENGINES = ("sqlite", "postgresql")


class CannotRun(Exception):  # noqa: N818 - it is no error
    """This machine lacks what the scenario needs; the message says what."""


@dataclass
class Trial:
    """What a scenario works with. ``broken`` stays empty where the criterion holds."""

    nursery: Nursery
    engine: str
    scale: float = 1.0
    seed: int = 7
    is_quiet: bool = True
    facts: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - the same in every run

    def sized(self, full: int, *, least: int) -> int:
        """Return a size: ``full`` at scale 1."""
        return max(least, round(full * self.scale))

    @contextlib.contextmanager
    def world(self, **wanted: Any) -> Iterator[World]:
        with (
            tempfile.TemporaryDirectory(
                prefix="relais-torture-", ignore_cleanup_errors=True
            ) as folder,
            World(self.nursery, Path(folder), self.engine, **wanted) as world,
        ):
            yield world

    def require(self, is_so: bool, what: str) -> None:
        """Note what is broken; the scenario goes on and shows the rest."""
        if not is_so:
            self.broken.append(what)

    def judge(self, world: World, *, duplicates: int = 0, **asked: Any) -> Findings:
        """Check a quiet world: nothing but so many duplicates may be found.

        A trial can judge several worlds; their counts add up.
        """
        found = check(world, **asked)
        self.findings = _sum(self.findings, found)
        for name in ("lost", "phantom", "doubled", "wrong_bytes", "bad_signatures", "unsettled"):
            count = getattr(found, name)
            self.require(count == 0, f"{name}: {count}")
        self.require(
            found.duplicates <= duplicates, f"duplicates: {found.duplicates}, allowed {duplicates}"
        )
        self.require(not world.leaks(), f"secrets in {world.leaks()}")
        self.require(world.is_sound(), "PRAGMA integrity_check")
        return found

    def say(self, text: str) -> None:
        """Show progress."""
        if not self.is_quiet:
            sys.stderr.write(f"\r\x1b[K  {self.engine}: {text}" if sys.stderr.isatty() else "")
            sys.stderr.flush()


@dataclass(frozen=True)
class Scenario:
    """A row of the table: what happens, on which engines, and what must hold."""

    number: int
    name: str
    passes: str
    run: Callable[[Trial], None]
    engines: tuple[str, ...] = ENGINES


@dataclass(frozen=True)
class Result:
    """How a trial ended. ``skipped`` says why it could not run."""

    number: int
    name: str
    engine: str
    seconds: float
    findings: Findings
    facts: dict[str, Any]
    broken: tuple[str, ...]
    skipped: str = ""

    @property
    def has_passed(self) -> bool:
        return not self.broken and not self.skipped


def attempt(scenario: Scenario, trial: Trial) -> Result:
    """Run a scenario; whatever goes wrong is a broken criterion, not a traceback."""
    start = time.monotonic()
    skipped = ""
    try:
        scenario.run(trial)
    except CannotRun as reason:
        skipped = str(reason)
    except Exception as problem:  # noqa: BLE001 - the other scenarios have to run
        where = traceback.extract_tb(problem.__traceback__)[-1]
        if not trial.is_quiet:
            traceback.print_exc()
        trial.broken.append(f"{type(problem).__name__}: {problem} ({where.name}:{where.lineno})")
    return Result(
        number=scenario.number,
        name=scenario.name,
        engine=trial.engine,
        seconds=round(time.monotonic() - start, 1),
        findings=trial.findings,
        facts=trial.facts,
        broken=tuple(trial.broken),
        skipped=skipped,
    )


def _sum(one: Findings, other: Findings) -> Findings:
    added = other.as_dict()
    return Findings(**{name: count + added[name] for name, count in one.as_dict().items()})
