"""What the parts of a transaction share: its connection, the vault, bulk statements."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Insert, Table, insert

from app.storage.vault import Vault

T = TypeVar("T")

# Bound values in one statement; every engine allows far more.
MAX_IN_VALUES = 500


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a transaction: questions and commands on its connection.

    What one that ``may_write`` looks up to change it stays as it is until it ends.
    """

    connection: Connection
    vault: Vault
    may_write: bool = False


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in bulk; none at all is fine."""
    if rows:
        connection.execute(_insert(table), rows)


@cache
def _insert(table: Table) -> Insert:
    """Return one statement per table: to build it anew costs as much as to run it."""
    return insert(table)


def execute_all(
    connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Execute a statement once per row of values, in bulk; none at all is fine."""
    if rows:
        connection.execute(statement, rows)


def changes(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values to update a row with: all but its id.

    Even set to itself, a key makes SQLite look at every row that refers to it.
    """
    return {name: value for name, value in row.items() if name != "id"}


def in_batches(values: Sequence[T], size: int = MAX_IN_VALUES) -> Iterator[list[T]]:
    """Yield the values in lists of at most ``size``."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
