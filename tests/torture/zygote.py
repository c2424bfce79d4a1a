"""Starts processes of Relais quickly: everything is imported once, each process is a fork.

A kill every 300 ms leaves no time for two seconds of imports. A child runs the same
command, `relais …`, that a person starts; it is a process of its own.

Orders are JSON lines on standard input (``args``, ``settings``, ``faults``, ``out``,
``log``); answers are lines on standard output: ``{"started": pid}`` for each order in
turn, and ``{"ended": pid, "status": code, "at": moment}`` for each child that ended.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any

import app.cli.processes  # noqa: F401 - imported once for all children
from app.cli import main as relais
from app.config import environment_with
from tests.e2e.processes import LOOPBACK
from tests.torture import faults

_LOOK_EVERY_S = 0.01
_PR_SET_PDEATHSIG = 1


def main() -> None:
    faults.load_registry_once(())
    _say({"ready": os.getpid()})
    buffer = b""
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY_S)
        if readable:
            data = os.read(sys.stdin.fileno(), 65536)
            if not data:
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                _say({"started": _start(json.loads(line))})
        _bury()


def _bury() -> None:
    """Say which children have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        _say({"ended": pid, "status": code, "at": time.monotonic()})


def _start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(order)
    return pid


def _become(order: dict[str, Any]) -> None:
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _redirect(order["out"], order["log"])
        environment = environment_with(**LOOPBACK | order["settings"])
        os.environ.clear()  # noqa: TID251 - it is the environment of the child
        os.environ.update(environment)  # noqa: TID251
        faults.install(order["faults"])
        sys.argv = ["relais", *order["args"]]
        relais()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - said here, or by nobody: the child ends now
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(out: str, log: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for stream, path in ((1, out), (2, log)):
        os.dup2(os.open(path, flags, 0o600), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def _say(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
