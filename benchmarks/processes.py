"""Processes of a run: starting them, and what they cost, from /proc (Linux)."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STOP_PATIENCE_S = 30
# In /proc/PID/stat, counted after the name: parent, then user and system time of the
# process and of its children that have ended.
_PARENT, _TIMES = 1, slice(11, 15)


@contextlib.contextmanager
def started(
    command: list[str], log: Path | None = None, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command with pipes to its standard input and output; end it afterwards.

    ``log``: where its standard error goes, if not to ours.
    """
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stack.enter_context(log.open("a")) if log else None,
            text=True,
            cwd=ROOT,
            env=environment(**variables),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def python(*arguments: str) -> list[str]:
    """Return a command for this interpreter."""
    return [sys.executable, *arguments]


def environment(**variables: str) -> dict[str, str]:
    """Return our environment, without settings of Relais but for these."""
    others = {key: one for key, one in os.environ.items() if not key.startswith("RELAIS_")}
    return others | variables


class CpuClock:
    """The CPU seconds that groups of processes have used since it was made; `load` is us."""

    def __init__(self, groups: Mapping[str, int]) -> None:
        """Watch these: a name for each root of a tree of processes."""
        self._groups = dict(groups)
        self._before = self._now()

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each group."""
        return {name: used - self._before[name] for name, used in self._now().items()}

    def _now(self) -> dict[str, float]:
        used = {name: cpu_seconds(root) for name, root in self._groups.items()}
        return {**used, "load": time.process_time()}


def cpu_seconds(root: int) -> float:
    """Return what a process and all below it have used, those that ended included."""
    return sum(_times(one) for one in tree(root))


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    parents = {pid: int(stat[_PARENT]) for pid in _pids() if (stat := _stat(pid))}
    found = [root]
    for parent in found:
        found += [pid for pid, its_parent in parents.items() if its_parent == parent]
    return found


def memory_mb(root: int) -> dict[str, float]:
    """Return a tree's memory: PSS shares what several processes map, RSS counts it each time."""
    totals = {"Pss": 0, "Rss": 0}
    for pid in tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name in totals:
                    totals[name] += int(rest.split()[0])
    return {name.lower(): kilobytes / 1024 for name, kilobytes in totals.items()}


def _pids() -> list[int]:
    return [int(one) for one in os.listdir("/proc") if one.isdigit()]  # noqa: PTH208 - names only


def _times(pid: int) -> float:
    return sum(map(int, _stat(pid)[_TIMES])) / _TICKS_PER_S


def _stat(pid: int) -> list[str]:
    """Return the fields behind the process's name, or none where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
