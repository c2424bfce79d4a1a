"""The references: what a user would pick instead, sending the same body to the same sink."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.end_to_end import PATIENCE_S, RATE
from benchmarks.processes import ROOT, cpu_seconds, python
from benchmarks.receiver import Receiver
from benchmarks.rounds import Contestant, Run

_HERE = Path(__file__).parent
_NAIVE = str(_HERE / "naive.py")
_DRF_HOOKS = str(_HERE / "drf_hooks_app" / "run.py")
_DRF_HOOKS_VENV = ROOT / "build" / "drf-hooks"
_EVENT_ID = re.compile(r"evt_[0-9a-v]{26}")
_WRK_SECONDS = 2
_WRK_CONNECTIONS = 32
_WRK_RATE = re.compile(r"Requests/sec: +([\d.]+)")
_WRK_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}")
wrk.body = file:read("*a")
file:close()
"""


@dataclass(frozen=True)
class Reference:
    """A program that delivers so many events and prints how long it took.

    Its command understands --database, --target, --body and --events.
    """

    name: str
    command: list[str]
    database: str

    def run(self, receiver: Receiver, body: Path, events: int, pids: Mapping[str, int]) -> Run:
        """Run it, and check what arrived.

        Raises:
            AssertionError: It failed, or lost something.
        """
        path = "/to/reference"
        receiver.take()
        before = {name: cpu_seconds(pid) for name, pid in {**pids, "sink": receiver.pid}.items()}
        arguments = {"database": self.database, "target": receiver.url + path, "body": str(body)}
        options = [f"--{name}={value}" for name, value in {**arguments, "events": events}.items()]
        found = json.loads(_output([*self.command, *options]))
        used = {
            name: cpu_seconds({**pids, "sink": receiver.pid}[name]) - seconds
            for name, seconds in before.items()
        }
        used["reference"] = found["cpu_seconds"]
        receiver.take().verify([f"evt_{number:026d}" for number in range(events)], [path])
        return Run(
            figures={RATE: events / found["seconds"]},
            cpu_us={name: 1e6 * seconds / events for name, seconds in used.items()},
        )


def naive(engine: str, database: str) -> list[Reference]:
    """Return the two naive designs on a database."""
    job = python(_NAIVE, "--mode=job")
    pooled = python(_NAIVE, "--mode=pooled")
    return [
        Reference(f"naive: job per delivery, requests, {engine}", job, database),
        Reference(f"threads, pooled requests, batched commits, {engine}", pooled, database),
    ]


def drf_hooks(database: str) -> Reference:
    """Return drf-hooks, installed in a virtual environment of its own under `build`.

    Raises:
        LookupError: It cannot be installed.
    """
    interpreter = _DRF_HOOKS_VENV / "bin" / "python"
    if not interpreter.exists():
        print(f"  installing drf-hooks in {_DRF_HOOKS_VENV}", file=sys.stderr)
        try:
            venv.create(_DRF_HOOKS_VENV, with_pip=True)
            _output([str(interpreter), "-m", "pip", "install", "--quiet", "drf-hooks"])
        except (AssertionError, subprocess.SubprocessError) as problem:
            shutil.rmtree(_DRF_HOOKS_VENV, ignore_errors=True)
            raise LookupError(f"drf-hooks cannot be installed: {problem}") from problem
    return Reference("drf-hooks, SQLite", [str(interpreter), _DRF_HOOKS], database)


def wrk(receiver: Receiver, body: Path) -> Callable[[int], Run]:
    """Return what runs wrk for two seconds: the raw rate of the sink, by a client in C.

    Raises:
        LookupError: There is no wrk.
    """
    program = shutil.which("wrk")
    if program is None:
        raise LookupError("wrk is not installed (package wrk)")
    script = body.with_suffix(".lua")
    script.write_text(_WRK_SCRIPT.format(body=body))

    def run(_size: int) -> Run:
        receiver.take()
        before = cpu_seconds(receiver.pid)
        command = [program, "-t1", f"-c{_WRK_CONNECTIONS}", f"-d{_WRK_SECONDS}s"]
        printed = _output([*command, "-s", str(script), receiver.url + "/to/wrk"])
        used = cpu_seconds(receiver.pid) - before
        count = receiver.take().count
        rate = _WRK_RATE.search(printed)
        assert rate, printed
        return Run(figures={RATE: float(rate[1])}, cpu_us={"sink": 1e6 * used / count})

    return run


def body_file(folder: Path, sample: str) -> Path:
    """Write the body that Relais delivers, with EVENT_ID in place of the id; return the file."""
    path = folder / "body.json"
    path.write_text(_EVENT_ID.sub("EVENT_ID", sample))
    return path


def contestants(
    references: list[Reference], receiver: Receiver, body: Path, pids: Mapping[str, int]
) -> list[Contestant]:
    """Return references as contestants."""

    def runner(one: Reference) -> Callable[[int], Run]:
        mine = pids if one.database.startswith("postgresql") else {}
        return lambda size: one.run(receiver, body, size, mine)

    return [Contestant(name=one.name, run=runner(one), warm_up=200) for one in references]


def scratch(folder: Path, name: str) -> str:
    """Return the file of a database that does not exist yet."""
    return str(Path(tempfile.mkdtemp(dir=folder)) / f"{name}.db")


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE_S, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout
