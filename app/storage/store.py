"""`SqlStore`: the store over any SQL engine, and one transaction of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import select, true

from app.core.errors import FieldProblem
from app.core.ports import Tx
from app.core.records import PartitionChanges
from app.storage import partitions, probing
from app.storage.accounts import AccountPart
from app.storage.database import Database
from app.storage.deliveries import DeliveryPart
from app.storage.events import EventPart
from app.storage.leadership import LeadershipPart
from app.storage.presence import PresencePart
from app.storage.replays import ReplayPart
from app.storage.resealing import reseal
from app.storage.resources import ResourcePart
from app.storage.subscriptions import SubscriptionPart
from app.storage.vault import Vault


class SqlTx(
    AccountPart,
    ResourcePart,
    SubscriptionPart,
    EventPart,
    DeliveryPart,
    LeadershipPart,
    PresencePart,
    ReplayPart,
):
    """One transaction on one connection. See `Tx`."""

    __slots__ = ()


class SqlStore:
    """Everything Relais keeps, in one SQL database. See `Store`."""

    def __init__(self, database: Database, *, vault: Vault) -> None:
        self.database = database
        self._vault = vault

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """See `Store`."""
        with self.database.reading() as connection:
            yield SqlTx(connection, self._vault)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """See `Store`."""
        with self.database.writing() as connection:
            yield SqlTx(connection, self._vault, may_write=True)

    def keep_partitions(self, *, now: datetime, retention: timedelta) -> PartitionChanges:
        """See `Store`."""
        if self.database.engine.dialect.name != "postgresql":
            return PartitionChanges()
        return partitions.keep(self.database, now=now, retention=retention)

    def ping(self) -> None:
        """See `Store`."""
        with self.database.reading() as connection:
            # Nothing; does the database answer?
            connection.execute(select(true()))

    def problems(self, *, now: datetime) -> tuple[FieldProblem, ...]:
        """See `Store`."""
        return tuple(probing.problems(self.database, self._vault, now=now))

    def reseal_secrets(self, *, limit: int) -> int:
        """Seal secrets of older keys with the first key of the ring; return how many.

        Call it until it returns 0; then the older keys may leave the ring.
        """
        with self.database.writing() as connection:
            return reseal(connection, self._vault, limit=limit)

    def close(self) -> None:
        """See `Store`."""
        self.database.engine.dispose()
