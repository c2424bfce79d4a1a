"""What an error of PostgreSQL means in our words. See `app.storage.faults`."""

import logging
from typing import NoReturn

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from app.core.errors import ConflictError, UnavailableError
from app.storage.faults import CONFLICTS, raise_unavailable

_LOG = logging.getLogger(__name__)

# By SQLSTATE, or by its first two characters: its class.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_MESSAGES = {
    "25006": "The database cannot be written.",  # a standby, or a transaction that reads
    "40001": "The database is busy.",
    "40P01": "The database is busy.",  # a deadlock
    "55P03": "The database is locked.",
    "57014": "The database took too long.",
    "53100": "The database's disk is full.",
    "53200": "The database ran out of memory.",
    "53300": "The database has too many connections.",
    "08": "The connection to the database was lost.",
    "25P03": "The connection to the database was lost.",  # idle in a transaction too long
    "53": "The database is overloaded.",
    "57P": "The database is shutting down or starting.",
    "58": "The database's disk fails.",
    "XX001": "The database is damaged.",
    "XX002": "The database is damaged.",
}


def translate_faults(engine: Engine) -> None:
    """Make every statement of the engine raise our errors where one fits.

    As `app.storage.faults.translate_faults` does for SQLite.
    """
    event.listen(engine, "handle_error", _translate)


def _translate(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, psycopg.errors.UniqueViolation):
        _raise_conflict(error)
    elif isinstance(error, psycopg.Error):
        if context.connection is None:
            _raise_unreachable(error)
        _raise_unavailable(error, is_commit=context.statement is None)


def _raise_conflict(error: psycopg.errors.UniqueViolation) -> None:
    message = CONFLICTS.get(error.diag.constraint_name or "")
    if message is not None:
        raise ConflictError(message) from error


def _raise_unreachable(error: psycopg.Error) -> NoReturn:
    # For the operator: why. The driver names host and user, never the password.
    _LOG.warning("database.unreachable", extra={"detail": " ".join(str(error).split())})
    raise_unavailable("The database cannot be reached.", error)


def _raise_unavailable(error: psycopg.Error, *, is_commit: bool) -> None:
    message = _message(error)
    if message is None:
        return
    if is_commit and is_lost(error):
        # Nobody knows whether the server heard it.
        message = f"{message} What was asked may have happened; ask again to be sure."
        raise UnavailableError(message) from error
    raise_unavailable(message, error)


def _message(error: psycopg.Error) -> str | None:
    state = error.sqlstate
    if state is None:
        return _MESSAGES["08"] if is_lost(error) else None
    return _MESSAGES.get(state) or _MESSAGES.get(state[:3]) or _MESSAGES.get(state[:2])


def is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection broke, rather than the server refusing something."""
    state = error.sqlstate
    if state is None:
        # The driver's own: without a connection there is nobody to give a state.
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(("08", "57P"))
