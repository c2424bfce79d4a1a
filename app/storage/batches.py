"""Batches: which deliveries went in one request, and what waits to go in the next one.

A batch is made by the claim that sends it first, in its transaction. From then on its
members and their order stand: whatever happens to one of them, every retry has the same
bytes. Deliveries in a batch wait in their subscription's lane only (`app.storage.lanes`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select, update

from app.core.batching import (
    MAX_EVENTS,
    Batching,
    Packing,
    Parcel,
    Waiting,
    array_of,
    how_many_fit,
    pack,
)
from app.core.ids import BATCH, BatchId, DeliveryId, SubscriptionId
from app.storage.claimable import WANTED
from app.storage.each_of import among
from app.storage.rows import AnyRow
from app.storage.tables import batches, deliveries, payloads

_D = deliveries.c
_MOMENT = _D.lane_at.type
# What is first in one lane, without its content.
_WAITING = (
    select(_D.id, _D.lane_at, _D.batch_id, _D.fence)
    .where(
        _D.subscription_id == bindparam("of_subscription"),
        _D.lane_at <= bindparam("until", type_=_MOMENT),
    )
    .order_by(_D.lane_at, _D.id)
    .limit(bindparam("at_most", type_=Integer))
)
# When something in one lane falls due that is not due yet.
_FIRST_AFTER = select(func.min(_D.lane_at)).where(
    _D.subscription_id == bindparam("of_subscription"),
    _D.lane_at > bindparam("now", type_=_MOMENT),
)
# Some deliveries that wait in a lane, and the members of a batch that do.
_SOME = WANTED.where(among(_D.id, "ids"), _D.lane_at.is_not(None))
_MEMBERS = WANTED.where(_D.batch_id == bindparam("of_batch"), _D.lane_at.is_not(None))
# Which deliveries batches carry.
_CARRIED = select(batches.c.id, batches.c.delivery_ids).where(among(batches.c.id, "ids"))
# What some deliveries say.
_BODIES = (
    select(_D.id, payloads.c.body)
    .join(payloads, payloads.c.id == _D.payload_id)
    .where(among(_D.id, "ids"))
)
# Some deliveries, in a batch.
_JOIN = update(deliveries).where(among(_D.id, "ids")).values(batch_id=bindparam("to_batch"))


class Look(NamedTuple):
    """What a look into a lane found out; ``is_cut``: there is more than was looked at."""

    packing: Packing
    is_cut: bool


class Packed(NamedTuple):
    """A parcel with its content: the rows that it leases, and the body of an array."""

    rows: Sequence[AnyRow]
    batch_id: BatchId | None = None
    body: bytes = b""


def look(
    connection: Connection,
    subscription_id: SubscriptionId,
    batching: Batching | None,
    *,
    now: datetime,
    until: datetime,
    most: int,
) -> Look:
    """Return what of a lane can go now, in at most about ``most`` requests.

    ``until`` later than ``now``: whatever is due by then, even if it is little.
    """
    at_most = most * (1 if batching is None else batching.max_events)
    asked = {"of_subscription": subscription_id, "until": until, "at_most": at_most}
    found = connection.execute(_WAITING, asked).all()
    waiting = [Waiting(row.id, row.lane_at, row.batch_id, row.fence > 0) for row in found]
    packing = pack(waiting, batching, now=now, whatever_is_there=until > now)
    return Look(packing, is_cut=len(found) == at_most)


def first_after(
    connection: Connection, subscription_id: SubscriptionId, now: datetime
) -> datetime | None:
    """Return when something in a lane falls due that is not due yet."""
    asked = {"of_subscription": subscription_id, "now": now}
    due: datetime | None = connection.execute(_FIRST_AFTER, asked).scalar_one()
    return due


def open_parcel(connection: Connection, parcel: Parcel) -> Packed:
    """Return what is in a parcel; nothing, where somebody else has it."""
    if parcel.batch_id is not None:
        asked = {"of_batch": parcel.batch_id, "at_most": MAX_EVENTS}
        rows = connection.execute(_MEMBERS, asked).all()
        body = bodies(connection, [parcel.batch_id]).get(parcel.batch_id, b"") if rows else b""
        return Packed(sorted(rows, key=_by_age), parcel.batch_id, body)
    ids = parcel.delivery_ids
    found = connection.execute(_SOME, {"ids": ids, "at_most": len(ids)}).all()
    rows = sorted(found, key=_by_age)
    if not parcel.is_array or not rows:
        return Packed(rows)
    rows = rows[: how_many_fit([len(row.body) for row in rows])]
    return Packed(rows, _new_id(rows[0]), array_of([row.body for row in rows]))


def keep(connection: Connection, packed: Packed, *, now: datetime) -> None:
    """Remember a batch that goes for the first time."""
    if packed.batch_id is None or packed.rows[0].batch_id == packed.batch_id:
        return
    ids = [row.id for row in packed.rows]
    # A new batch.
    new = {"id": packed.batch_id, "delivery_ids": ids, "created_at": now}
    connection.execute(insert(batches).values(new))
    connection.execute(_JOIN, {"ids": ids, "to_batch": packed.batch_id})


def bodies(connection: Connection, batch_ids: Collection[BatchId]) -> Mapping[BatchId, bytes]:
    """Return the bodies of batches; unknown ones are left out.

    Of a batch some of whose members were pruned, what is left.
    """
    carried = connection.execute(_CARRIED, {"ids": sorted(set(batch_ids))}).all()
    members = {one for row in carried for one in row.delivery_ids}
    if not members:
        return {}
    said = {row.id: row.body for row in connection.execute(_BODIES, {"ids": sorted(members)})}
    return {
        row.id: array_of([said[one] for one in row.delivery_ids if one in said]) for row in carried
    }


def prune(connection: Connection, *, before: datetime, limit: int) -> None:
    """Forget the oldest batches whose deliveries are all gone."""
    has_members = select(_D.id).where(_D.batch_id == batches.c.id).exists()
    # The oldest batches that no delivery is in.
    oldest = (
        select(batches.c.id)
        .where(batches.c.created_at < before, ~has_members)
        .order_by(batches.c.created_at)
        .limit(limit)
    )
    connection.execute(delete(batches).where(batches.c.id.in_(oldest)))


def _new_id(first: AnyRow) -> BatchId:
    """Return the id of a batch by its first member, which begins only one per claim."""
    of_delivery = first.id.partition("_")[2]
    again = f"_{first.fence}" if first.fence else ""
    return BatchId(f"{BATCH}_{of_delivery}{again}")


def _by_age(row: AnyRow) -> tuple[datetime, DeliveryId]:
    return row.next_attempt_at or row.created_at, row.id
