"""Turns at one file among processes. See `app.storage.database.FileTurns`."""

import subprocess
import sys
from datetime import timedelta

import pytest

from app.core.errors import UnavailableError
from app.storage.database import FileTurns

# Takes turn after turn and counts them in a file; holds each for a moment.
BUSY = """
import sys, time
from datetime import timedelta
from pathlib import Path
from app.storage.database import FileTurns
turns = FileTurns(Path(sys.argv[1]), patience=timedelta(seconds=20))
count = 0
print("begun", flush=True)
while True:
    with turns.one():
        count += 1
        Path(sys.argv[2]).write_text(str(count))
        time.sleep(0.002)
"""
# Takes one turn and dies with it.
DYING = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from app.storage.database import FileTurns
with FileTurns(Path(sys.argv[1]), patience=timedelta(seconds=20)).one():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def turns_of(path, seconds=20):
    return FileTurns(path, patience=timedelta(seconds=seconds))


@pytest.fixture
def busy(tmp_path):
    command = [sys.executable, "-c", BUSY, str(tmp_path / "db"), str(tmp_path / "count")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_process_that_is_always_busy_lets_others_in(busy, tmp_path):
    turns, count = turns_of(tmp_path / "db"), tmp_path / "count"
    while not count.exists():
        pass  # the other has had its first turn

    between = []
    for _ in range(30):
        before = int(count.read_text() or 0)
        with turns.one():
            between.append(int(count.read_text()) - before)

    assert sorted(between)[len(between) // 2] <= 2


def test_a_process_that_dies_gives_its_turn_up(tmp_path):
    dying = [sys.executable, "-c", DYING, str(tmp_path / "db")]
    subprocess.run(dying, check=False)  # noqa: S603  # ours

    with turns_of(tmp_path / "db").one():
        pass


def test_who_waits_too_long_is_told_that_the_database_is_busy(tmp_path):
    first, second = turns_of(tmp_path / "db"), turns_of(tmp_path / "db", seconds=0.01)

    with first.one(), pytest.raises(UnavailableError, match="busy"), second.one():
        pass

    with second.one():
        pass
