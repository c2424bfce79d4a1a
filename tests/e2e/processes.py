"""Real processes of Relais: start one, wait for what it prints, end it one way or another.

with RelaisProcess("serve", "--port", "0", "--data", str(folder)) as relais:
    key = relais.rest_of("Publisher key: ")
    ... relais.url ...
    assert relais.stop() == 0
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from app.cli.first_start import DEMO_ACCOUNT, first_keys
from app.config import Settings, environment_with
from app.core.deliveries import Delivery
from app.core.records import DeliveryQuery
from app.factory import open_deployment

RELAIS = str(Path(sys.executable).with_name("relais"))
LOOPBACK = {"RELAIS_ALLOWED_NETWORKS": "127.0.0.0/8"}
READY = "Relais is ready at "
_PATIENCE_S = 60.0


class RelaisProcess:
    """A running `relais …`; leaving the context kills what is still running."""

    def __init__(self, *args: str, **settings: str) -> None:
        """Start it; ``settings`` are RELAIS_ variables beside `LOOPBACK`."""
        self.lines: list[str] = []
        self._ended = False
        self._changed = threading.Condition()
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(  # noqa: S603 - the command is ours
            [RELAIS, *args],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment_with(**LOOPBACK | settings),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._log.close()

    @property
    def url(self) -> str:
        """Return the address of its API, once it is ready."""
        return self.rest_of(READY)

    @property
    def log(self) -> str:
        """Return what it wrote to standard error so far."""
        position = self._log.tell()
        self._log.seek(0)
        text = self._log.read()
        self._log.seek(position)
        return text

    def rest_of(self, beginning: str) -> str:
        """Return the rest of the first line that begins so, once there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._found(beginning) or self._ended, _PATIENCE_S)
            found = self._found(beginning)
        assert found, f"no line {beginning!r} in {self.lines}; its log:\n{self.log}"
        return found[0].removeprefix(beginning)

    def stop(self, patience_s: float = _PATIENCE_S) -> int:
        """Ask it to stop, as a supervisor does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(patience_s)

    def wait(self, patience_s: float = _PATIENCE_S) -> int:
        """Return its exit code once it has ended."""
        code = self.process.wait(patience_s)
        self._reader.join()
        return code

    def kill(self) -> None:
        """End it as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.wait()
        self.process.stdout.close()

    def _found(self, beginning: str) -> list[str]:
        return [line for line in self.lines if line.startswith(beginning)]

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def serve(data: Path, **settings: str) -> RelaisProcess:
    """Start `relais serve` on a free port."""
    return RelaisProcess("serve", "--port", "0", "--data", str(data), **settings)


def make_first_keys(data: Path, **settings: str) -> tuple[str, str]:
    """Do what the first `relais serve` does, here; return the publisher and the account key."""
    given = Settings.from_env({}, data_dir=data, **settings)
    with contextlib.closing(open_deployment(given)) as deployment:
        lines = list(first_keys(deployment.context))
    publisher, account = (
        line.partition(": ")[2] for line in lines if line.startswith(("Publisher", "Account"))
    )
    return publisher, account


def stored_deliveries(data: Path) -> list[Delivery]:
    """Return the deliveries of the account `demo`, from the database itself."""
    with (
        contextlib.closing(open_deployment(Settings.from_env({}, data_dir=data))) as deployment,
        deployment.store.read() as tx,
    ):
        account = tx.account_by_reference(DEMO_ACCOUNT)
        return list(tx.deliveries(account.id, DeliveryQuery(), limit=100, cursor=None).items)
