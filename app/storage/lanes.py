"""Lanes: where a subscription's deliveries wait that cannot go with all the others.

Deliveries wait **in the open**, in one index on ``due_at`` that all subscriptions share,
and a claim takes what is due first. That is cheap, and unfair as soon as one subscription
has more due than its share, or must wait as a whole: it is paused, it asked for a pause
with ``Retry-After``, its breaker is open, it has a pace. Its deliveries then wait **in its
lane**: ``due_at`` is NULL and ``lane_at`` is their time. A claim looks into a lane when
``next_at`` says so, never at each delivery in it. So a lane with 50,000 deliveries costs the
others nothing, and pausing or resuming costs the same for one as for 50,000.

- A lane that is *open* takes what is new. Drained and without a reason, it closes; that of
  a subscription whose events go together (`app.storage.batches`) stays open.
- A lane that is *held* gives nothing out until it is let go: nobody looks into it.
- A lane that *trickles* gives out one delivery at a time: a probe.
- Nothing leaves a lane before ``not_before``.

What ends up on the wrong side in a race comes right by itself: what a claim finds in the
open of a subscription with an open lane is moved there, and whoever puts something into a
lane also opens it (`poke`), after the rows, in the order of `app.storage.locks`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    Integer,
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
from app.storage.bulk import Bulk
from app.storage.each_of import among, not_among
from app.storage.rows import AnyRow
from app.storage.tables import deliveries, lanes

# How many deliveries one claim moves into a lane at once: some milliseconds of work.
MOST_MOVED = 2_000

_LANE = lanes.c
_DUE = bindparam("due", type_=_LANE.next_at.type)
# Not before the lane's own time.
_WHEN = case((_LANE.not_before > _DUE, _LANE.not_before), else_=_DUE)
_WAITS_FOR_ITSELF = or_(_LANE.is_held, and_(_LANE.is_trickle, _LANE.next_at.is_not(None)))
# One lane, open, and looked into when the new delivery is due at the latest.
_POKE = Bulk(
    update(lanes)
    .where(_LANE.subscription_id == bindparam("of_subscription"))
    .values(
        is_open=True,
        next_at=case(
            (or_(_WAITS_FOR_ITSELF, _LANE.next_at <= _WHEN), _LANE.next_at),
            else_=_WHEN,
        ),
    ),
    in_order=True,
)
# Which of some subscriptions have an open lane.
_OPEN = select(_LANE.subscription_id).where(
    among(_LANE.subscription_id, "ids"), _LANE.is_open.is_(True)
)
# The lanes to look into next, but for some.
_NEXT = (
    select(lanes)
    .where(
        _LANE.next_at <= bindparam("now", type_=_LANE.next_at.type),
        not_among(_LANE.subscription_id, "full"),
    )
    .order_by(_LANE.next_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
)
# When to look into one lane again.
_SEEN = Bulk(
    update(lanes)
    .where(_LANE.subscription_id == bindparam("of_subscription"))
    .values(next_at=bindparam("again_at", type_=_LANE.next_at.type), is_open=bindparam("stays"))
)
# When the first delivery of a lane is due.
_FIRST = select(func.min(deliveries.c.lane_at)).where(
    deliveries.c.subscription_id == bindparam("of_subscription"),
    deliveries.c.lane_at.is_not(None),
)
# Some of a subscription's deliveries that are due in the open, into its lane. One that is
# being sent under a lease that ran out is sent by nobody: a loss, as in a claim.
_ENTER = (
    update(deliveries)
    .where(
        deliveries.c.id.in_(
            select(deliveries.c.id)
            .where(
                deliveries.c.subscription_id == bindparam("of_subscription"),
                deliveries.c.due_at <= bindparam("now", type_=deliveries.c.due_at.type),
            )
            .order_by(deliveries.c.due_at)
            .limit(MOST_MOVED)
            .with_for_update(skip_locked=True)
        )
    )
    .values(
        lane_at=deliveries.c.due_at,
        due_at=null(),
        state=DeliveryState.PENDING.value,
        losses=deliveries.c.losses
        + case((deliveries.c.state == DeliveryState.SENDING.value, 1), else_=0),
    )
)

# Some deliveries in lanes, due later.
_PUT_OFF = (
    update(deliveries)
    .where(among(deliveries.c.id, "ids"))
    .values(lane_at=bindparam("until", type_=deliveries.c.lane_at.type))
)
# One lane for us alone, unless somebody else has it.
_OURS = (
    select(_LANE.subscription_id)
    .where(_LANE.subscription_id == bindparam("of_subscription"))
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a look into a lane found out: when to look again, and whether it stays open."""

    subscription_id: SubscriptionId
    again_at: datetime | None
    stays_open: bool


def begin(
    connection: Connection, subscription_id: SubscriptionId, *, is_held: bool, is_open: bool
) -> None:
    """Make the lane of a new subscription."""
    # A lane that nobody needs yet, or that takes or holds everything from the start.
    values = {"is_open": is_held or is_open, "is_held": is_held, "is_trickle": False}
    connection.execute(insert(lanes).values(subscription_id=subscription_id, **values))


def open_among(
    connection: Connection, subscription_ids: Collection[SubscriptionId]
) -> set[SubscriptionId]:
    """Return those of the subscriptions whose new deliveries go into their lanes."""
    asked = {"ids": sorted(set(subscription_ids))}
    return set(connection.execute(_OPEN, asked).scalars())


def poke(connection: Connection, dues: Iterable[tuple[SubscriptionId, datetime]]) -> None:
    """Say that deliveries were put into lanes, and when they are due."""
    first: dict[SubscriptionId, datetime] = {}
    for subscription_id, due in dues:
        first[subscription_id] = min(due, first.get(subscription_id, due))
    _POKE.run(
        connection,
        [{"of_subscription": one, "due": due} for one, due in sorted(first.items())],
    )


def enter(connection: Connection, subscription_id: SubscriptionId, *, now: datetime) -> None:
    """Move what is due in the open of one subscription into its lane, some at a time.

    Where somebody else has the lane just now, nothing is moved until the next look: a claim
    holds the lanes that it looks into, in their own order, and must not wait for another.
    """
    if connection.execute(_OURS, {"of_subscription": subscription_id}).one_or_none() is None:
        return
    connection.execute(_ENTER, {"of_subscription": subscription_id, "now": now})
    poke(connection, [(subscription_id, now)])


def hold(connection: Connection, subscription_id: SubscriptionId) -> None:
    """Give nothing out any more, until `let_go`."""
    _change(connection, subscription_id, is_open=True, is_held=True, is_trickle=False)


def let_go(connection: Connection, subscription_id: SubscriptionId, *, now: datetime) -> None:
    """Give everything out again, each at its time."""
    _change(connection, subscription_id, is_held=False, is_trickle=False, next_at=now)


def slow_down(
    connection: Connection,
    subscription_id: SubscriptionId,
    *,
    not_before: datetime,
    is_trickle: bool,
) -> None:
    """Give nothing out before a time, and then one at a time where it ``is_trickle``."""
    _change(
        connection,
        subscription_id,
        is_open=True,
        is_held=False,
        is_trickle=is_trickle,
        not_before=not_before,
        next_at=not_before,
    )


def close(connection: Connection, subscription_id: SubscriptionId, *, now: datetime) -> None:
    """Take nothing in any more, for a subscription that has ended.

    Somebody looks into it once more: to cancel what was put in meanwhile, or is still left.
    """
    _change(
        connection, subscription_id, is_open=False, is_held=False, is_trickle=False, next_at=now
    )


def put_off(
    connection: Connection, delivery_ids: Collection[DeliveryId], *, until: datetime
) -> None:
    """Let deliveries in lanes wait until then, so that others come before them."""
    if delivery_ids:
        connection.execute(_PUT_OFF, {"ids": delivery_ids, "until": until})


def next_ones(
    connection: Connection, *, now: datetime, full: Collection[SubscriptionId], limit: int
) -> Sequence[AnyRow]:
    """Return the lanes to look into now, the longest waiting first, for us alone."""
    return connection.execute(_NEXT, {"now": now, "full": full, "at_most": limit}).all()


def first_due_at(connection: Connection, subscription_id: SubscriptionId) -> datetime | None:
    """Return when the first delivery of a lane is due, or None for an empty one."""
    due: datetime | None = connection.execute(
        _FIRST, {"of_subscription": subscription_id}
    ).scalar_one()
    return due


def seen(connection: Connection, visits: Iterable[Visit]) -> None:
    """Remember when to look into lanes again."""
    _SEEN.run(
        connection,
        [
            {
                "of_subscription": one.subscription_id,
                "again_at": one.again_at,
                "stays": one.stays_open,
            }
            for one in visits
        ],
    )


def next_look_at(connection: Connection) -> datetime | None:
    """Return when the next lane wants to be looked into, or None."""
    # The first of all lanes.
    statement = select(func.min(_LANE.next_at)).where(_LANE.next_at.is_not(None))
    next_at: datetime | None = connection.execute(statement).scalar_one()
    return next_at


def _change(connection: Connection, subscription_id: SubscriptionId, **values: object) -> None:
    # One lane; what is not said is forgotten.
    forgotten: Mapping[str, object] = {"not_before": None, "next_at": None}
    connection.execute(
        update(lanes)
        .where(_LANE.subscription_id == subscription_id)
        .values({**forgotten, **values})
    )
