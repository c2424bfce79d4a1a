"""One set of metrics from the processes of a machine, whichever of them is asked.

Each process counts in memory (`app.system.tally`) and writes its numbers to a small file of
its own, every few seconds where they changed; whoever is asked adds the files up. So nothing
is shared while counting, no process waits for another, and a full disk only makes the numbers
of the others old.

A file is *taken*, not made: a new process takes the first one whose process is gone and
counts on from there. So a total never falls when a process ends, and there are as many files
as processes ran at the same time. A process that was killed loses what it counted since it
last wrote.
"""

import contextlib
import fcntl
import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from app.core.metering import FAMILIES, Kind, Numbers, Series
from app.system.tally import Tally

log = logging.getLogger(__name__)
_WRITE_EVERY_S = 2.0
_MOST_PROCESSES = 1_000


class SharedTally(Tally):
    """A `Meter` whose numbers are part of the whole machine's.

    Make it in the process that counts: a process that was forked off later must make
    its own.
    """

    def __init__(self, folder: Path) -> None:
        """Take a file in the folder, which belongs to the deployment; it is made if missing.

        Raises:
            OSError: The folder cannot be used.
        """
        super().__init__()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock_file, self._own = _take(folder)
        self.begin_at(_numbers_in(self._own))
        self._written: Mapping[Series, Numbers] = {}
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._keep_writing, name="metrics", daemon=True)
        self._writer.start()

    def read(self) -> Mapping[Series, Numbers]:
        """See `Meter`: what all processes of the folder counted, added up."""
        found = {series: list(numbers) for series, numbers in super().read().items()}
        for path in self._folder.glob("*.json"):
            if path != self._own:
                _add_up(found, _numbers_in(path), is_alive=_is_taken(_lock_of(path)))
        return found

    def write(self) -> None:
        """Write this process's numbers, where they changed; a failure is logged only."""
        numbers = super().read()
        if numbers == self._written:
            return
        try:
            _write(self._own, numbers)
        except OSError as problem:
            log.warning("metrics.not_written", extra={"reason": problem.strerror})
        else:
            self._written = numbers

    @property
    def is_open(self) -> bool:
        """Return whether it still has its file."""
        return not self._closing.is_set()

    def close(self) -> None:
        """Write the last numbers and give the file up."""
        self._closing.set()
        self._writer.join()
        self.write()
        os.close(self._lock_file)

    def _keep_writing(self) -> None:
        while not self._closing.wait(_WRITE_EVERY_S):
            self.write()


def _add_up(
    found: dict[Series, list[float]], numbers: Mapping[Series, Numbers], *, is_alive: bool
) -> None:
    """Add another process's numbers; what it *holds* counts only while it lives."""
    for series, others in numbers.items():
        family = FAMILIES.get(series[0])
        if family is None or len(others) != family.width:
            continue  # of another version of Relais
        if family.kind is Kind.GAUGE and not is_alive:
            continue
        own = found.get(series)
        found[series] = (
            list(others) if own is None else [a + b for a, b in zip(own, others, strict=True)]
        )


def _take(folder: Path) -> tuple[int, Path]:
    """Return the lock and the path of the first file that no living process has."""
    for number in range(1, _MOST_PROCESSES + 1):
        path = folder / f"{number}.json"
        lock = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return lock, path
    raise OSError(f"More than {_MOST_PROCESSES} processes keep metrics in {folder}.")


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _is_taken(lock_path: Path) -> bool:
    """Return whether the process of a file lives: the lock goes with it, however it ends."""
    try:
        lock = os.open(lock_path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _numbers_in(path: Path) -> Mapping[Series, Numbers]:
    """Return what the file holds; nothing where there is none, or none of ours."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = json.loads(path.read_bytes())
        return {tuple(series): tuple(map(float, numbers)) for series, numbers in found}
    return {}


def _write(path: Path, numbers: Mapping[Series, Numbers]) -> None:
    """Replace the file: a reader sees the old one or the new one, never a part."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([[series, values] for series, values in numbers.items()]))
    fresh.replace(path)
