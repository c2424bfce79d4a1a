"""What a driver's error means in our words. One place, for every statement.

`translate_faults` hangs on the engine, so that no statement needs its own `try`.
"""

import sqlite3
from typing import NoReturn

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from app.core.errors import ConflictError, UnavailableError

# The unique indexes that a request can run into.
CONFLICTS = {
    "uq_accounts_reference": "An account with this reference exists already.",
    "uq_subscriptions_fingerprint": "A subscription like this one exists already.",
    "idempotency_records_pkey": "Another request with this idempotency key is being answered.",
}
# SQLite names their columns instead.
_INDEXES = {
    "accounts.reference": "uq_accounts_reference",
    "subscriptions.account_id, subscriptions.fingerprint": "uq_subscriptions_fingerprint",
    "idempotency_records.account_id, idempotency_records.key": "idempotency_records_pkey",
}
_UNIQUE_FAILED = "UNIQUE constraint failed: "

_MESSAGES = {
    sqlite3.SQLITE_BUSY: "The database is locked.",
    sqlite3.SQLITE_LOCKED: "The database is locked.",
    sqlite3.SQLITE_FULL: "The database's disk is full.",
    sqlite3.SQLITE_IOERR: "The database's disk fails.",
    sqlite3.SQLITE_READONLY: "The database cannot be written.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened.",
    sqlite3.SQLITE_PERM: "The database file cannot be opened.",
    sqlite3.SQLITE_AUTH: "The database file cannot be opened.",
    sqlite3.SQLITE_NOTADB: "The database file is not a database.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged.",
    sqlite3.SQLITE_PROTOCOL: "The database is locked.",
    sqlite3.SQLITE_NOMEM: "The database ran out of memory.",
}


def translate_faults(engine: Engine) -> None:
    """Make every statement of the engine raise our errors where one fits.

    A unique index that a request can run into raises ConflictError; a database that
    cannot be reached, read or written raises UnavailableError. Everything else is a
    mistake of ours and stays what it is.
    """
    event.listen(engine, "handle_error", _translate)


def raise_if_known(error: BaseException) -> None:
    """Raise our error for a driver's one, where one fits."""
    if isinstance(error, sqlite3.IntegrityError):
        _raise_conflict(error)
    elif isinstance(error, sqlite3.Error):
        _raise_unavailable(error)


def _translate(context: ExceptionContext) -> None:
    raise_if_known(context.original_exception)


def _raise_conflict(error: sqlite3.IntegrityError) -> None:
    index = _INDEXES.get(str(error).removeprefix(_UNIQUE_FAILED))
    if index is not None:
        raise ConflictError(CONFLICTS[index]) from error


def _raise_unavailable(error: sqlite3.Error) -> None:
    # The low byte is the kind, the rest says more: https://www.sqlite.org/rescode.html
    message = _MESSAGES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if message is not None:
        raise_unavailable(message, error)


def raise_unavailable(message: str, cause: Exception) -> NoReturn:
    """Raise UnavailableError, saying that nothing was accepted."""
    raise UnavailableError(f"{message} Nothing was accepted; try again later.") from cause
