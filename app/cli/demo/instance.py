"""A Relais of its own for the demo: a child process on a folder that goes away again."""

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from app.config import environment_with

_START_S = 30.0
_STOP_S = 25.0
_LOG_TAIL_CHARS = 2_000
_PUBLISHER_KEY = "Publisher key: "
_READY = "Relais is ready at "


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running Relais and the key to publish to it."""

    url: str
    publisher_key: str


@contextlib.contextmanager
def throwaway_instance() -> Iterator[Instance]:
    """Start a Relais on an empty folder; stop it and remove the folder afterwards.

    Raises:
        ClickException: It did not start; the message has the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="relais-demo-") as name:
        folder = Path(name)
        with (folder / "log").open("w") as log, _process(folder, log.fileno()) as process:
            try:
                instance = _announced(process)
            except LookupError:
                tail = (folder / "log").read_text()[-_LOG_TAIL_CHARS:]
                raise click.ClickException(f"Relais did not start.\n{tail}") from None
            yield instance


@contextlib.contextmanager
def _process(folder: Path, log: int) -> Iterator["subprocess.Popen[str]"]:
    # -P: a folder named `app` where the demo is started must not take our place.
    command = [sys.executable, "-P", "-m", "app.cli", "serve", "--port", "0", "--data", str(folder)]
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        command,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment_with(RELAIS_ALLOWED_NETWORKS="127.0.0.0/8"),
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _announced(process: "subprocess.Popen[str]") -> Instance:
    """Return what the first start prints; raises LookupError where it ends without."""
    if process.stdout is None:
        raise LookupError("no output")
    too_late = threading.Timer(_START_S, process.kill)
    too_late.start()
    key = ""
    try:
        for line in process.stdout:
            if line.startswith(_PUBLISHER_KEY):
                key = line.removeprefix(_PUBLISHER_KEY).strip()
            if line.startswith(_READY):
                return Instance(url=line.removeprefix(_READY).strip(), publisher_key=key)
    finally:
        too_late.cancel()
    raise LookupError("no ready line")
