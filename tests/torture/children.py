"""The processes under test, as the driver sees them: started, signalled, waited for."""

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.01


class Child:
    """One `relais …` process."""

    def __init__(self, pid: int, out: Path, log: Path) -> None:
        self.pid = pid
        self.started_at = time.monotonic()
        self.ended_at: float | None = None
        self.status: int | None = None
        self._out = out
        self._log = log
        self._ended = threading.Event()

    @property
    def is_running(self) -> bool:
        return not self._ended.is_set()

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def rest_of(self, beginning: str, patience_s: float = _PATIENCE_S) -> str:
        """Return the rest of the first line that begins so, once there is one."""
        deadline = time.monotonic() + patience_s
        while (found := self.seen(beginning)) is None:
            assert self.is_running, f"it ended with {self.status}:\n{self.log[-3000:]}"
            assert time.monotonic() < deadline, f"no line {beginning!r}:\n{self.log[-3000:]}"
            time.sleep(_LOOK_EVERY_S)
        return found

    def seen(self, beginning: str) -> str | None:
        """Return the rest of the first line that begins so; None where there is none yet."""
        text = self._out.read_text() if self._out.exists() else ""
        whole = text[: text.rfind("\n") + 1].splitlines()
        return next(
            (one.removeprefix(beginning) for one in whole if one.startswith(beginning)), None
        )

    def send(self, number: int) -> None:
        """Send a signal; harmless where it has ended."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut does, and wait for that."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, patience_s: float = _PATIENCE_S) -> int:
        """Return its exit code once it has ended; a signal's number is negative."""
        assert self._ended.wait(patience_s), f"process {self.pid} does not end"
        return self.status

    def has_ended(self, status: int, at: float) -> None:
        self.status, self.ended_at = status, at
        self._ended.set()


class Nursery:
    """Starts processes through the zygote; leaving the context kills what still runs."""

    def __init__(self) -> None:
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._children: dict[int, Child] = {}
        self._pids: queue.Queue[int] = queue.Queue()
        self._early: dict[int, tuple[int, float]] = {}
        self._lock = threading.Lock()  # one order, one answer
        self._register = threading.Lock()
        self._numbers = itertools.count(1)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in list(self._children.values()):
            one.send(signal.SIGKILL)
        self._zygote.stdin.close()
        self._zygote.wait(_PATIENCE_S)
        self._reader.join()
        self._zygote.stdout.close()

    def start(
        self, *args: str, folder: Path, settings: dict[str, str], faults: dict[str, Any]
    ) -> Child:
        """Start ``relais ARGS``; its output and its log are files in ``folder``."""
        number = next(self._numbers)
        out, log = (folder / f"{args[0]}-{number}.{kind}" for kind in ("out", "log"))
        order = {"args": args, "settings": settings, "faults": faults}
        order |= {"out": str(out), "log": str(log)}
        with self._lock:
            self._zygote.stdin.write(json.dumps(order).encode() + b"\n")
            self._zygote.stdin.flush()
            pid = self._pids.get(timeout=_PATIENCE_S)
        child = Child(pid, out, log)
        with self._register:
            if pid in self._early:
                child.has_ended(*self._early.pop(pid))
            else:
                self._children[pid] = child
        return child

    def _read(self) -> None:
        for line in self._zygote.stdout:
            said = json.loads(line)
            if "started" in said:
                self._pids.put(said["started"])
            elif "ended" in said:
                self._note_end(said["ended"], said["status"], said["at"])

    def _note_end(self, pid: int, status: int, at: float) -> None:
        with self._register:
            child = self._children.pop(pid, None)
            if child is None:  # it ended before its start was heard of
                self._early[pid] = (status, at)
            else:
                child.has_ended(status, at)
