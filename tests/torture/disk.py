"""A disk that is too small: a tmpfs of a few megabytes, which can grow."""

import contextlib
import subprocess
from pathlib import Path

SMALL = "3m"
LARGE = "64m"


class NoMountsError(Exception):
    """This machine does not let us mount anything."""


def mount_small(folder: Path) -> None:
    """Mount a small disk on a folder that is empty."""
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={SMALL}", "relais-torture", str(folder))
    except (OSError, subprocess.CalledProcessError) as problem:
        raise NoMountsError(f"a tmpfs cannot be mounted here: {problem}") from problem


def grow(folder: Path) -> None:
    """Give the disk space."""
    _run("mount", "-o", f"remount,size={LARGE}", str(folder))


def unmount(folder: Path) -> None:
    """Take the disk away, also from processes that still hold it."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603
