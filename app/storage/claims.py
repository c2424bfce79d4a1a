"""Claiming: which deliveries a worker may send now.

The most-reviewed statement of the project is `_DUE`. It walks the index on ``due_at``
from its beginning and stops at ``limit`` rows, so it costs what it returns: settled and
held deliveries are not in that index (`app.storage.backlog`).
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, select, update

from app.core.deliveries import DeliveryState, Lease
from app.core.ids import DeliveryId, SubscriptionId
from app.core.records import ClaimedDelivery, Shares
from app.core.subscriptions import Subscription, SubscriptionState
from app.storage import backlog
from app.storage.parts import Part, in_batches
from app.storage.rows import AnyRow
from app.storage.rows import deliveries as rows
from app.storage.rows.subscriptions import subscription
from app.storage.tables import deliveries, events, payloads, subscriptions
from app.storage.vault import VaultError

_LOG = logging.getLogger(__name__)


# What has fallen due, oldest first, and what its attempt needs; no other claim sees it.
_DUE_OF_ALL = (
    select(
        *rows.DELIVERY_COLUMNS,
        deliveries.c.fence,
        events.c.type.label("event_type"),
        payloads.c.body,
    )
    .join(events, events.c.id == deliveries.c.event_id)
    .join(payloads, payloads.c.id == deliveries.c.payload_id)
    .where(deliveries.c.due_at <= bindparam("now"))
    .order_by(deliveries.c.due_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(of=deliveries, skip_locked=True)
)
# The same, but for subscriptions whose share is used up.
_DUE = _DUE_OF_ALL.where(deliveries.c.subscription_id.not_in(bindparam("full", expanding=True)))
# Some subscriptions, whole.
_OWNERS = select(subscriptions).where(subscriptions.c.id.in_(bindparam("ids", expanding=True)))
# Some deliveries, under a lease of one more fence.
_TAKE = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=DeliveryState.SENDING.value,
        worker=bindparam("by"),
        fence=deliveries.c.fence + 1,
        lease_expires_at=bindparam("until"),
        due_at=bindparam("until"),
    )
)


def claim_due(
    part: Part,
    *,
    worker: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
    shares: Shares | None = None,
) -> tuple[ClaimedDelivery, ...]:
    """See `DeliveryTx`. ``lease_until`` must be after ``now``, else ValueError.

    Due rows that nobody may send are first set aside, so that they never stand in front
    of the others. A subscription whose share is used up is left out of the next look;
    there are at most ``limit / shares.each`` looks.
    """
    if lease_until <= now:
        raise ValueError("A lease must end in the future.")
    lease = _NewLease(worker=worker, now=now, until=lease_until)
    claimed: list[ClaimedDelivery] = []
    held = Counter(shares.taken if shares else {})
    most = shares.each if shares else limit
    while True:
        full = {one for one, count in held.items() if count >= most}
        due, owners = _sendable(part, lease, limit=limit - len(claimed), full=full)
        taken = _within_shares(due, held, most)
        _take(part.connection, taken, lease)
        claimed += [_claimed(row, owners[row.subscription_id], lease) for row in taken]
        if len(taken) == len(due) or len(claimed) >= limit:
            return tuple(claimed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewLease:
    """Who claims, when, and for how long."""

    worker: str
    now: datetime
    until: datetime


def _sendable(
    part: Part, lease: _NewLease, *, limit: int, full: Collection[SubscriptionId]
) -> tuple[Sequence[AnyRow], dict[SubscriptionId, Subscription]]:
    """Return due rows that may be sent, and their subscriptions."""
    while True:
        due = _due(part.connection, now=lease.now, limit=limit, full=full)
        owners = _owners(part, due)
        if not _set_aside(part.connection, due, owners, now=lease.now, later=lease.until):
            return due, owners


def _within_shares(due: Sequence[AnyRow], held: Counter[SubscriptionId], most: int) -> list[AnyRow]:
    """Return the rows that fit into their subscriptions' shares, and count them in."""
    taken = []
    for row in due:
        if held[row.subscription_id] < most:
            held[row.subscription_id] += 1
            taken.append(row)
    return taken


def _due(
    connection: Connection, *, now: datetime, limit: int, full: Collection[SubscriptionId]
) -> Sequence[AnyRow]:
    asked = {"now": now, "at_most": limit, "full": sorted(full)}
    return connection.execute(_DUE if full else _DUE_OF_ALL, asked).all()


def _owners(part: Part, due: Sequence[AnyRow]) -> dict[SubscriptionId, Subscription]:
    """Return the subscriptions of the rows, but for those whose secret does not open."""
    owners: dict[SubscriptionId, Subscription] = {}
    for batch in in_batches(list({row.subscription_id for row in due})):
        for row in part.connection.execute(_OWNERS, {"ids": batch}):
            try:
                owners[row.id] = subscription(row, vault=part.vault)
            except VaultError:
                # One damaged secret, or a key that was dropped too early, must not stop
                # the deliveries of everybody else.
                _LOG.exception("subscription.unreadable", extra={"subscription_id": row.id})
    return owners


def _set_aside(
    connection: Connection,
    due: Sequence[AnyRow],
    owners: Mapping[SubscriptionId, Subscription],
    *,
    now: datetime,
    later: datetime,
) -> bool:
    """Move due rows that nobody may send out of the way; say whether there were any.

    Those of an ended subscription were left by a worker that died: cancelled. Those of a
    paused or suspended one: held. Those that nobody can sign: tried again later.
    """
    ended: list[DeliveryId] = []
    held: list[DeliveryId] = []
    unreadable: list[DeliveryId] = []
    for row in due:
        owner = owners.get(row.subscription_id)
        if owner is None:
            unreadable.append(row.id)
        elif owner.state is SubscriptionState.ENDED:
            ended.append(row.id)
        elif owner.state in backlog.HOLDING_STATES:
            held.append(row.id)
    backlog.cancel_some(connection, ended, now=now)
    backlog.postpone(connection, held, until=None)
    backlog.postpone(connection, unreadable, until=later)
    return bool(ended or held or unreadable)


def _take(connection: Connection, due: Sequence[AnyRow], lease: _NewLease) -> None:
    for batch in in_batches([row.id for row in due]):
        connection.execute(_TAKE, {"ids": batch, "by": lease.worker, "until": lease.until})


def _claimed(row: AnyRow, owner: Subscription, lease: _NewLease) -> ClaimedDelivery:
    return ClaimedDelivery(
        delivery=rows.delivery(row, state=DeliveryState.SENDING),
        lease=Lease(
            delivery_id=row.id,
            worker=lease.worker,
            fence=row.fence + 1,
            expires_at=lease.until,
        ),
        subscription=owner,
        event_type=row.event_type,
        body=row.body,
    )
