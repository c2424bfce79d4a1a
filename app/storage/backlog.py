"""A subscription's unsettled deliveries, and when a claim may take them.

``deliveries.due_at`` says it all in one indexed column: it is the next attempt's time
while a delivery is pending, the end of the lease while it is being sent, and NULL when
nothing may claim it: settled, or *held* because its subscription is paused or suspended.
So the claim reads only rows that it may take, however many wait behind a paused
subscription or have been settled, and the next due time is the smallest value.

The price: pausing and resuming rewrite the subscription's unsettled rows once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from app.core.deliveries import DeliveryState
from app.core.ids import DeliveryId, SubscriptionId
from app.core.subscriptions import SubscriptionState
from app.storage.parts import in_batches
from app.storage.tables import LIVE, deliveries, subscriptions

HOLDING_STATES = frozenset({SubscriptionState.PAUSED, SubscriptionState.SUSPENDED})

_IS_PENDING = deliveries.c.state == DeliveryState.PENDING.value
_IS_SENDING = deliveries.c.state == DeliveryState.SENDING.value
_DUE_AT = case(
    (_IS_PENDING, func.coalesce(deliveries.c.next_attempt_at, deliveries.c.created_at)),
    else_=deliveries.c.lease_expires_at,
)


# Adds deliveries in bulk; each row also says `claimable_at`. Those of a subscription that
# holds its deliveries are held from the start. One that has ended meanwhile is not asked
# for here: the next claim cancels its deliveries.
ADD = insert(deliveries).values(
    due_at=case(
        {state.value: null() for state in sorted(HOLDING_STATES)},
        value=select(subscriptions.c.state)
        .where(subscriptions.c.id == bindparam("of_subscription"))
        .scalar_subquery(),
        else_=bindparam("claimable_at", type_=deliveries.c.due_at.type),
    )
)


def hold(connection: Connection, subscription_id: SubscriptionId) -> None:
    """Keep the subscription's deliveries from being claimed, until `let_go`."""
    # The unsettled deliveries of a subscription, due never.
    connection.execute(update(deliveries).where(_open_of(subscription_id)).values(due_at=None))


def let_go(connection: Connection, subscription_id: SubscriptionId) -> None:
    """Let the subscription's deliveries be claimed when their time comes."""
    # The unsettled deliveries of a subscription, due at their own time.
    connection.execute(update(deliveries).where(_open_of(subscription_id)).values(due_at=_DUE_AT))


def cancel(connection: Connection, subscription_id: SubscriptionId, *, now: datetime) -> None:
    """Cancel what the subscription still waits for.

    What a worker is sending under a valid lease settles by its own verdict; if the
    worker never comes back, the next claim after the lease cancels it.
    """
    # The unsettled deliveries of a subscription, but those being sent now: cancelled.
    abandoned = and_(_IS_SENDING, deliveries.c.lease_expires_at <= now)
    connection.execute(
        update(deliveries)
        .where(_open_of(subscription_id), or_(_IS_PENDING, abandoned))
        .values(_cancelled(now))
    )
    let_go(connection, subscription_id)


def cancel_some(
    connection: Connection, delivery_ids: Sequence[DeliveryId], *, now: datetime
) -> None:
    """Cancel deliveries whose subscription has ended."""
    _update_some(connection, delivery_ids, _cancelled(now))


def postpone(
    connection: Connection, delivery_ids: Sequence[DeliveryId], *, until: datetime | None
) -> None:
    """Let no claim take deliveries until then; None holds them until `let_go`."""
    _update_some(connection, delivery_ids, {"due_at": until})


def requeue(connection: Connection, delivery_id: DeliveryId, *, now: datetime) -> bool:
    """Make a settled delivery of a live subscription due at once; say whether it is one."""
    # The owner of a settled delivery.
    owner = (
        select(subscriptions.c.state)
        .join(deliveries, deliveries.c.subscription_id == subscriptions.c.id)
        .where(deliveries.c.id == delivery_id, deliveries.c.settled_at.is_not(None), LIVE)
        .with_for_update(key_share=True)
    )
    state = connection.execute(owner).scalar_one_or_none()
    if state is None:
        return False
    # One settled delivery, pending again.
    again = {
        "state": DeliveryState.PENDING.value,
        "attempt_count": 0,
        "next_attempt_at": now,
        "settled_at": None,
        "due_at": now if state == SubscriptionState.ACTIVE else None,
    }
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(again))
    return True


def _update_some(
    connection: Connection, delivery_ids: Sequence[DeliveryId], values: dict[str, Any]
) -> None:
    for batch in in_batches(delivery_ids):
        # Some deliveries.
        connection.execute(update(deliveries).where(deliveries.c.id.in_(batch)).values(values))


def _open_of(subscription_id: SubscriptionId) -> ColumnElement[bool]:
    return and_(deliveries.c.subscription_id == subscription_id, deliveries.c.settled_at.is_(None))


def _cancelled(now: datetime) -> dict[str, Any]:
    return {
        "state": DeliveryState.CANCELLED.value,
        "settled_at": now,
        "next_attempt_at": None,
        "due_at": None,
    }
