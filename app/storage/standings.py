"""How subscriptions stand: their health, what their lanes hold back, how much waits.

One question for many subscriptions, whatever each of them has waiting: the counts stop at
a bound, and each is a walk along an index of what waits.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, literal, select

from app.core.health import HEALTHY
from app.core.ids import SubscriptionId
from app.core.records import MOST_WAITING, Standing
from app.storage import health
from app.storage.each_of import among
from app.storage.rows import AnyRow
from app.storage.tables import deliveries, lanes

_DELIVERY, _LANE = deliveries.c, lanes.c


def _count(condition: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the number of a lane's subscription's deliveries, up to the bound."""
    found = (
        select(literal(1))
        .where(_DELIVERY.subscription_id == _LANE.subscription_id, condition)
        .limit(MOST_WAITING)
        .correlate(lanes)
    )
    return select(func.count()).select_from(found.subquery("some_waiting")).scalar_subquery()


# The lanes of some subscriptions, and what waits in the open and in each lane.
_OF_SOME = select(
    lanes,
    _count(_DELIVERY.due_at.is_not(None)).label("in_the_open"),
    _count(_DELIVERY.lane_at.is_not(None)).label("in_its_lane"),
).where(among(_LANE.subscription_id, "ids"))


def of_subscriptions(
    connection: Connection, subscription_ids: Sequence[SubscriptionId]
) -> Mapping[SubscriptionId, Standing]:
    """Return how each stands; unknown ones are left out."""
    healths = health.of_subscriptions(connection, subscription_ids)
    return {
        row.subscription_id: Standing(
            health=healths.get(row.subscription_id, HEALTHY),
            held_until=_held_until(row),
            waiting=min(row.in_the_open + row.in_its_lane, MOST_WAITING),
        )
        for row in connection.execute(_OF_SOME, {"ids": sorted(subscription_ids)})
    }


def _held_until(lane: AnyRow) -> datetime | None:
    if lane.is_held:
        return None
    # One that trickles is next looked into when its probe comes back, or is given up.
    until: datetime | None = lane.next_at if lane.is_trickle and lane.next_at else lane.not_before
    return until
