"""The workers that are there, and how much they have to do, in a transaction."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.core.presence import QueueDepth, WorkerSighting
from app.storage import depth
from app.storage.parts import Part
from app.storage.rows import AnyRow
from app.storage.tables import workers

_COLUMNS = workers.c
# One worker, seen again.
_SEEN = (
    update(workers)
    .where(_COLUMNS.name == bindparam("of_name"))
    .values(
        seen_at=bindparam("to_seen_at", type_=_COLUMNS.seen_at.type),
        in_flight=bindparam("to_in_flight"),
    )
)
# Those seen last.
_LATEST = select(workers).order_by(_COLUMNS.seen_at.desc(), _COLUMNS.name).limit(bindparam("most"))


class PresencePart(Part):
    """See `PresenceTx`."""

    __slots__ = ()

    def see_worker(self, seen: WorkerSighting) -> None:
        """See `PresenceTx`."""
        again = {"of_name": seen.name, "to_seen_at": seen.seen_at, "to_in_flight": seen.in_flight}
        if self.connection.execute(_SEEN, again).rowcount:
            return
        try:
            with self.connection.begin_nested():
                # A worker that is new here.
                self.connection.execute(
                    insert(workers).values(
                        name=seen.name,
                        started_at=seen.started_at,
                        seen_at=seen.seen_at,
                        in_flight=seen.in_flight,
                    )
                )
        except IntegrityError:  # two of one name: a mistake, but no reason to stop
            return

    def workers(self, *, limit: int) -> tuple[WorkerSighting, ...]:
        """See `PresenceTx`."""
        return tuple(_sighting(row) for row in self.connection.execute(_LATEST, {"most": limit}))

    def forget_worker(self, name: str) -> None:
        """See `PresenceTx`."""
        # One worker, by name.
        self.connection.execute(delete(workers).where(_COLUMNS.name == name))

    def forget_workers(self, *, unseen_since: datetime) -> int:
        """See `PresenceTx`."""
        # Workers that died without a word.
        statement = delete(workers).where(_COLUMNS.seen_at < unseen_since)
        return self.connection.execute(statement).rowcount

    def queue_depth(self, *, now: datetime) -> QueueDepth:
        """See `PresenceTx`."""
        return depth.queue_depth(self.connection, now=now)


def _sighting(row: AnyRow) -> WorkerSighting:
    return WorkerSighting(
        name=row.name, started_at=row.started_at, seen_at=row.seen_at, in_flight=row.in_flight
    )
