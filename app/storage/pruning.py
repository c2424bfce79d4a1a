"""Pruning: what is older than the retention goes, in small batches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    literal_column,
    select,
    true,
)

from app.core.deliveries import DeliveryState
from app.core.ids import EventId
from app.storage import backlog, batches, partitions
from app.storage.parts import execute_all, in_batches
from app.storage.tables import (
    SUSPENDED,
    attempts,
    deliveries,
    events,
    idempotency_records,
    payloads,
    subscriptions,
)

_RECORDS = idempotency_records.c
# The net of the partitions, see app/storage/partitions.py.
_NET = events.to_metadata(MetaData(), name="events_default")
_NET_OID: ColumnElement[Any] = literal_column("'events_default'::regclass")


def prune(connection: Connection, *, before: datetime, limit: int) -> int:
    """See `DeliveryTx`. Idempotency records go by their own age, as many at a time.

    Where events are kept in partitions, those go whole; here go the events that are in
    none, or in an old one that something else in it keeps.
    """
    _prune_idempotency_records(connection, before=before, limit=limit)
    _cancel_forgotten(connection, before=before, limit=limit)
    found: list[Any] = []
    for source, is_ours in _sources(connection, before=before):
        oldest = _oldest(source, before=before, limit=limit - len(found)).where(is_ours)
        found += connection.execute(oldest).scalars()
    for batch in in_batches(found):
        _delete_events(connection, batch)
    batches.prune(connection, before=before, limit=limit)
    return len(found)


def _sources(
    connection: Connection, *, before: datetime
) -> list[tuple[Table, ColumnElement[bool]]]:
    """Return where to look for events, and which of them."""
    if connection.dialect.name != "postgresql":
        return [(events, true())]
    end = partitions.end_of_the_pruned(connection, before=before)
    in_pieces = and_(events.c.id < end, literal_column("events.tableoid") != _NET_OID)
    return [(_NET, true()), (events, in_pieces)]


def _oldest(source: Table, *, before: datetime, limit: int) -> Select[tuple[EventId]]:
    """Return the question for the oldest events with nothing left to send."""
    is_unsettled = exists().where(
        deliveries.c.event_id == source.c.id, deliveries.c.settled_at.is_(None)
    )
    return (
        select(source.c.id)
        .where(source.c.received_at < before, ~is_unsettled)
        .order_by(source.c.received_at)
        .limit(limit)
        .with_for_update(of=source, skip_locked=True)  # another worker prunes those
    )


def _cancel_forgotten(connection: Connection, *, before: datetime, limit: int) -> None:
    """Cancel what has waited for a suspended subscription since before then.

    What a person paused waits for that person. But a target that is off for good would
    keep events for ever.
    """
    # What waits for too long in the lanes of suspended subscriptions.
    suspended = select(subscriptions.c.id).where(SUSPENDED)
    forgotten = (
        select(deliveries.c.id)
        .where(
            deliveries.c.subscription_id.in_(suspended),
            deliveries.c.lane_at.is_not(None),
            deliveries.c.created_at < before,
            deliveries.c.state == DeliveryState.PENDING.value,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    backlog.cancel_some(connection, connection.execute(forgotten).scalars().all(), now=before)


def _delete_events(connection: Connection, event_ids: Sequence[EventId]) -> None:
    of_deliveries = select(deliveries.c.id).where(deliveries.c.event_id.in_(event_ids))
    # Some events and what hangs on them, leaves first.
    connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(of_deliveries)))
    connection.execute(delete(deliveries).where(deliveries.c.event_id.in_(event_ids)))
    connection.execute(delete(payloads).where(payloads.c.event_id.in_(event_ids)))
    connection.execute(delete(events).where(events.c.id.in_(event_ids)))


def _prune_idempotency_records(connection: Connection, *, before: datetime, limit: int) -> None:
    # The oldest idempotency records.
    oldest = (
        select(_RECORDS.account_id.label("of_account"), _RECORDS.key.label("of_key"))
        .where(_RECORDS.created_at < before)
        .order_by(_RECORDS.created_at)
        .limit(limit)
    )
    # One of them.
    forget = delete(idempotency_records).where(
        _RECORDS.account_id == bindparam("of_account"), _RECORDS.key == bindparam("of_key")
    )
    found = connection.execute(oldest).mappings().all()
    execute_all(connection, forget, [dict(row) for row in found])
