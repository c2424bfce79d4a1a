"""The statements of a claim: what may be sent, whose it is, and the lease on it."""

from sqlalchemy import Integer, bindparam, case, null, select, update

from app.core.deliveries import DeliveryState
from app.storage.each_of import among
from app.storage.rows import deliveries as rows
from app.storage.tables import deliveries, events, lanes, payloads, subscriptions

# What an attempt needs of a delivery, its event and its payload.
WANTED = (
    select(
        *rows.DELIVERY_COLUMNS,
        deliveries.c.fence,
        deliveries.c.losses,
        deliveries.c.batch_id,
        events.c.type.label("event_type"),
        payloads.c.body,
    )
    .join(events, events.c.id == deliveries.c.event_id)
    .join(payloads, payloads.c.id == deliveries.c.payload_id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(of=deliveries, skip_locked=True)
)
# What has fallen due in the open, oldest first; no other claim sees it.
DUE = WANTED.where(
    deliveries.c.due_at <= bindparam("now", type_=deliveries.c.due_at.type)
).order_by(deliveries.c.due_at)
# What is first in one lane.
IN_LANE = WANTED.where(
    deliveries.c.subscription_id == bindparam("of_subscription"),
    deliveries.c.lane_at <= bindparam("now", type_=deliveries.c.lane_at.type),
).order_by(deliveries.c.lane_at, deliveries.c.id)
# Some subscriptions, whole, and whether their lanes are open.
OWNERS = (
    select(subscriptions, lanes.c.is_open.label("lane_is_open"))
    .join(lanes, lanes.c.subscription_id == subscriptions.c.id)
    .where(among(subscriptions.c.id, "ids"))
)
# Some deliveries, under a lease of one more fence. A lease that ran out was a loss.
TAKE = (
    update(deliveries)
    .where(among(deliveries.c.id, "ids"))
    .values(
        state=DeliveryState.SENDING.value,
        worker=bindparam("by"),
        fence=deliveries.c.fence + 1,
        losses=deliveries.c.losses
        + case((deliveries.c.state == DeliveryState.SENDING.value, 1), else_=0),
        lease_expires_at=bindparam("until", type_=deliveries.c.lease_expires_at.type),
        due_at=bindparam("until", type_=deliveries.c.due_at.type),
        lane_at=null(),
    )
)
