"""Whether the store works, tried out: it is written to, and its tables are looked at."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from app.core.errors import FieldProblem, UnavailableError
from app.storage.database import Database
from app.storage.leadership import LeadershipPart
from app.storage.migrate import current_revision, last_revision
from app.storage.vault import Vault

# Room for the largest event, and for the log of its commit.
_LEAST_FREE_BYTES: Final = 512 * 1024
_PROBE: Final = "readiness-probe"


def problems(database: Database, vault: Vault, *, now: datetime) -> Iterator[FieldProblem]:
    """Yield what keeps the store from being written. See `Store`; the first one says enough.

    The write is a real one, committed: a full disk, a lost connection or a lock that is
    never given back do not show in a read.
    """
    yield from _lack_of_room(database)
    try:
        if current_revision(database) != last_revision():
            message = "The database has the tables of another version of Relais; migrate it."
            yield FieldProblem(field="store", code="other_version", message=message)
            return
        with database.writing() as connection:
            part = LeadershipPart(connection, vault, may_write=True)
            part.take_lead(_PROBE, holder=_PROBE, now=now, until=now)
    except UnavailableError as problem:
        yield FieldProblem(field="store", code="unwritable", message=problem.message)


def _lack_of_room(database: Database) -> Iterator[FieldProblem]:
    """A small write still fits where the next event does not, so space is looked at too."""
    name = database.engine.url.database
    if database.engine.dialect.name != "sqlite" or name in (None, "", ":memory:"):
        return
    with suppress(OSError):  # the write will say what is wrong
        found = os.statvfs(Path(str(name)).parent)
        if found.f_bavail * found.f_frsize < _LEAST_FREE_BYTES:
            message = "The database's disk is full, or nearly so."
            yield FieldProblem(field="store", code="disk_full", message=message)
