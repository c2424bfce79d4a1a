"""A subscription's unsettled deliveries, and when a claim may take them.

Until a delivery is settled it waits in one of two places (`app.storage.lanes`): in the
open, with a ``due_at``, or in its subscription's lane, with a ``lane_at``. That is the
next attempt's time while it is pending; while it is being sent it is in the open and
its ``due_at`` is the end of the lease. Settled, it has neither, and is in no index of what
waits: however much was settled, the claim never reads it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, bindparam, null, or_, select, update

from app.core.deliveries import FINAL_STATES, Delivery, DeliveryState, OutcomeKind
from app.core.ids import DeliveryId, SubscriptionId
from app.storage import lanes
from app.storage.bulk import bulk_insert
from app.storage.each_of import among
from app.storage.rows import deliveries as rows
from app.storage.tables import LIVE, deliveries, events, payloads, subscriptions
from app.storage.tables import lanes as lanes_table

_COLUMNS = deliveries.c
_NOW = bindparam("now", type_=_COLUMNS.settled_at.type)
_ADD = bulk_insert(deliveries, *rows.NEW_COLUMNS)
_NOWHERE = {"next_attempt_at": null(), "due_at": null(), "lane_at": null()}
# Being sent under a lease that holds: its worker settles it.
_IS_ABANDONED = or_(
    _COLUMNS.state == DeliveryState.PENDING.value,
    and_(_COLUMNS.state == DeliveryState.SENDING.value, _COLUMNS.lease_expires_at <= _NOW),
)
_CANCEL = update(deliveries).values(
    state=DeliveryState.CANCELLED.value, settled_at=_NOW, **_NOWHERE
)
_IS_OF = _COLUMNS.subscription_id == bindparam("of_subscription")
# How many deliveries one transaction cancels at most; the rest comes with later looks.
MOST_CANCELLED = 2_000


def _some(condition: ColumnElement[bool]) -> Update:
    """Return what cancels some of what a subscription waits for in one of the two places."""
    wanted = select(_COLUMNS.id).where(_IS_OF, condition, _IS_ABANDONED).limit(MOST_CANCELLED)
    return _CANCEL.where(_COLUMNS.id.in_(wanted.with_for_update(skip_locked=True)))


# What a subscription waits for, in the open and in its lane: cancelled.
_CANCEL_IN_THE_OPEN = _some(_COLUMNS.due_at.is_not(None))
_CANCEL_IN_ITS_LANE = _some(_COLUMNS.lane_at.is_not(None))
# Some deliveries, cancelled.
_CANCEL_SOME = _CANCEL.where(among(_COLUMNS.id, "ids"))
# Some deliveries, failed through a fault of ours.
_FAIL_SOME = (
    update(deliveries)
    .where(among(_COLUMNS.id, "ids"))
    .values(
        state=DeliveryState.FAILED.value,
        outcome=OutcomeKind.INTERNAL.value,
        settled_at=_NOW,
        **_NOWHERE,
    )
)
# Some deliveries in the open, due later.
_POSTPONE = (
    update(deliveries)
    .where(among(_COLUMNS.id, "ids"))
    .values(due_at=bindparam("until", type_=_COLUMNS.due_at.type))
)


def add(connection: Connection, added: Sequence[Delivery]) -> None:
    """Add deliveries in bulk, each where its subscription's deliveries wait.

    One of a subscription that has ended meanwhile is not asked for here: the next claim
    cancels it.
    """
    in_lanes = lanes.open_among(connection, {each.subscription_id for each in added})
    new = [_new_row(each, in_lane=each.subscription_id in in_lanes) for each in added]
    _ADD.run(connection, new)
    lanes.poke(
        connection,
        [(row["subscription_id"], row["lane_at"]) for row in new if row["lane_at"] is not None],
    )


def cancel(connection: Connection, subscription_id: SubscriptionId, *, now: datetime) -> bool:
    """Cancel what the subscription still waits for; say whether that was all.

    What a worker is sending under a valid lease settles by its own verdict; if the
    worker never comes back, the next claim after the lease cancels it. What is too much for
    one transaction is left to the next looks into its lane.
    """
    asked = {"of_subscription": subscription_id, "now": now}
    counts = [
        connection.execute(statement, asked).rowcount
        for statement in (_CANCEL_IN_THE_OPEN, _CANCEL_IN_ITS_LANE)
    ]
    lanes.close(connection, subscription_id, now=now)
    return max(counts) < MOST_CANCELLED


def cancel_some(
    connection: Connection, delivery_ids: Collection[DeliveryId], *, now: datetime
) -> None:
    """Cancel deliveries whose subscription has ended."""
    if delivery_ids:
        connection.execute(_CANCEL_SOME, {"ids": delivery_ids, "now": now})


def fail_some(
    connection: Connection, delivery_ids: Collection[DeliveryId], *, now: datetime
) -> None:
    """Set deliveries aside that may be what their workers died of."""
    if delivery_ids:
        connection.execute(_FAIL_SOME, {"ids": delivery_ids, "now": now})


def postpone(
    connection: Connection, delivery_ids: Collection[DeliveryId], *, until: datetime
) -> None:
    """Let no claim take deliveries in the open until then."""
    if delivery_ids:
        connection.execute(_POSTPONE, {"ids": delivery_ids, "until": until})


def requeue(connection: Connection, delivery_id: DeliveryId, *, now: datetime) -> bool:
    """Make a settled delivery of a live subscription due at once; say whether it is one."""
    # The owner of a settled delivery, whether its lane is open and whether it batches.
    owner = (
        select(subscriptions.c.id, subscriptions.c.batching, lanes_table.c.is_open)
        .join(deliveries, deliveries.c.subscription_id == subscriptions.c.id)
        .join(lanes_table, lanes_table.c.subscription_id == subscriptions.c.id)
        # What it sends may be gone before it is, see app/storage/partitions.py.
        .join(events, events.c.id == deliveries.c.event_id)
        .join(payloads, payloads.c.id == deliveries.c.payload_id)
        .where(deliveries.c.id == delivery_id, deliveries.c.settled_at.is_not(None), LIVE)
        .with_for_update(key_share=True, of=subscriptions)
    )
    found = connection.execute(owner).one_or_none()
    if found is None:
        return False
    # One settled delivery, pending again.
    again = {
        "state": DeliveryState.PENDING.value,
        "attempt_count": 0,
        "losses": 0,
        # Where events go together, this one goes in a batch of one: see `Waiting`.
        "batch_id": None if found.batching is None else delivery_id,
        "next_attempt_at": now,
        "settled_at": None,
        **place(now, in_lane=found.is_open),
    }
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(again))
    if found.is_open:
        lanes.poke(connection, [(found.id, now)])
    return True


def place(due: datetime | None, *, in_lane: bool) -> dict[str, datetime | None]:
    """Return the values that put a delivery into the open or into its lane."""
    return {"due_at": None if in_lane else due, "lane_at": due if in_lane else None}


def _new_row(delivery: Delivery, *, in_lane: bool) -> dict[str, Any]:
    is_final = delivery.state in FINAL_STATES
    due = None if is_final else delivery.next_attempt_at or delivery.created_at
    return rows.delivery_row(delivery) | place(due, in_lane=in_lane)
