"""The bell between processes of one machine. See `app.core.ports.Doorbell`.

Each listener binds a datagram socket in a folder that belongs to the deployment; to ring
is to send an empty datagram to every socket there. Nothing is lost when a bell is missed:
workers also look by themselves, only later.
"""

import contextlib
import hashlib
import os
import select
import socket
import stat
import tempfile
import threading
from pathlib import Path


class LocalDoorbell:
    """Rings every listener on this machine that was made for the same deployment."""

    def __init__(self, deployment: str, *, listens: bool) -> None:
        """Make a bell for a deployment; only one that ``listens`` can `wait`."""
        self._folder = _folder(deployment)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._path: Path | None = None
        if listens:
            self._path = self._folder / f"{os.getpid()}-{id(self):x}"
            self._socket.bind(str(self._path))

    def ring(self) -> None:
        """See `Doorbell`."""
        for path in self._listeners():
            try:
                self._socket.sendto(b"", str(path))
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)  # its listener died
            except OSError:
                continue  # a full queue: that listener is awake already

    def wait(self, timeout_s: float) -> bool:
        """See `Doorbell`."""
        ready, _, _ = select.select([self._socket], [], [], timeout_s)
        if not ready:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)
        return True

    def close(self) -> None:
        """Stop listening; the last listener removes the folder."""
        self._socket.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others listen
            self._folder.rmdir()

    def _listeners(self) -> list[Path]:
        try:
            return list(self._folder.iterdir())
        except FileNotFoundError:
            return []


class ProcessDoorbell:
    """The bell of a deployment that lives in one process (a store in memory)."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """See `Doorbell`."""
        self._rung.set()

    def wait(self, timeout_s: float) -> bool:
        """See `Doorbell`."""
        rung = self._rung.wait(timeout_s)
        if rung:  # a ring just after the timeout is for the next wait
            self._rung.clear()
        return rung

    def close(self) -> None:
        """Nothing to stop."""


def _folder(deployment: str) -> Path:
    """Return the deployment's folder of bells: short, since socket paths are limited."""
    digest = hashlib.sha256(deployment.encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"relais-{os.getuid()}-{digest}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    # Anybody can put a link there, and what looks like a dead bell is removed.
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} is not a folder of this user; remove it.")
    return folder
