"""How deep the queue is: counts that stop at a bound, each from an index of what waits.

See `app.storage.lanes` for where deliveries wait.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, literal, select

from app.core.presence import QueueDepth
from app.storage.tables import deliveries, lanes

# More than that is "very many", and is not worth counting for longer.
MOST_COUNTED = 100_000

_DELIVERY, _LANE = deliveries.c, lanes.c
_NOW = bindparam("now", type_=_DELIVERY.due_at.type)


def _in_the_open(condition: ColumnElement[bool]) -> Select[int]:
    found = select(literal(1)).select_from(deliveries).where(condition).limit(MOST_COUNTED)
    return select(func.count()).select_from(found.subquery())


# Deliveries in the open: due, and not yet. The index on due_at alone answers.
_OPEN_DUE = _in_the_open(_DELIVERY.due_at <= _NOW)
_OPEN_WAITING = _in_the_open(_DELIVERY.due_at > _NOW)
# Deliveries in lanes, all at once: behind a stopped subscription, due, and not yet.
_WAITING_APART = (
    select(_LANE.is_held, _DELIVERY.lane_at)
    .join_from(deliveries, lanes, _DELIVERY.subscription_id == _LANE.subscription_id)
    .where(_DELIVERY.lane_at.is_not(None))
    .limit(MOST_COUNTED)
    .subquery()
)
_IS_HELD, _LANE_AT = _WAITING_APART.c
_IN_LANES = select(
    func.count().filter(_IS_HELD.is_(True)),
    func.count().filter(and_(_IS_HELD.is_(False), _LANE_AT <= _NOW)),
    func.count().filter(and_(_IS_HELD.is_(False), _LANE_AT > _NOW)),
)
# Lanes in use.
_LANES = select(func.count()).select_from(
    select(literal(1))
    .select_from(lanes)
    .where(_LANE.is_open.is_(True))
    .limit(MOST_COUNTED)
    .subquery()
)
# The first thing to do in the open, and among the lanes.
_FIRST_OPEN = select(func.min(_DELIVERY.due_at)).where(_DELIVERY.due_at.is_not(None))
_FIRST_LANE = select(func.min(_LANE.next_at)).where(_LANE.next_at.is_not(None))


def queue_depth(connection: Connection, *, now: datetime) -> QueueDepth:
    """See `PresenceTx`."""

    def count(statement: Select[int]) -> int:
        return connection.execute(statement, {"now": now}).scalar_one()

    held, lane_due, lane_waiting = connection.execute(_IN_LANES, {"now": now}).one()
    firsts = (connection.execute(one).scalar_one() for one in (_FIRST_OPEN, _FIRST_LANE))
    return QueueDepth(
        due=count(_OPEN_DUE) + lane_due,
        waiting=count(_OPEN_WAITING) + lane_waiting,
        held=held,
        oldest_due_at=min((one for one in firsts if one and one <= now), default=None),
        lanes=count(_LANES),
    )
