"""Claiming: which deliveries a worker may send now.

A claim looks at what is due in the open, oldest first, and into the lanes that want to be
looked into (`app.storage.lanes`). Both questions walk an index from its beginning and
stop at a limit, so a claim costs what it returns, however much else there is.

The worker's gate says how much of each subscription it would take. What is due in the
open beyond that moves to the subscription's lane, out of the way of the others.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection, Integer, Row, bindparam, case, null, select, update

from app.core.deliveries import MOST_LOSSES, DeliveryState, Lease
from app.core.ids import DeliveryId, SubscriptionId
from app.core.ports import Gate
from app.core.records import ClaimedDelivery
from app.core.subscriptions import Subscription, SubscriptionState
from app.storage import backlog, lanes
from app.storage.each_of import among
from app.storage.lanes import Visit
from app.storage.parts import Part
from app.storage.rows import AnyRow
from app.storage.rows import deliveries as rows
from app.storage.rows.subscriptions import subscription
from app.storage.tables import deliveries, events, payloads, subscriptions
from app.storage.tables import lanes as lanes_table
from app.storage.vault import VaultError

_LOG = logging.getLogger(__name__)
# Where a delivery belongs that is due and may not be sent now.
_Aside: TypeAlias = Literal["unreadable", "ended", "lost", "lane", "later"]

# Looks at what is due in the open, while looks meet what has to be moved away.
_MOST_LOOKS = 5
_MOST_LANES = 32
# What a gate does not let in now is offered again then.
_CROWDED = timedelta(milliseconds=50)
# A lane with a pace gives out at most what is due to it in this time.
_PACE_STEP_S = 0.1

# What an attempt needs of a delivery, its event and its payload.
_WANTED = (
    select(
        *rows.DELIVERY_COLUMNS,
        deliveries.c.fence,
        deliveries.c.losses,
        events.c.type.label("event_type"),
        payloads.c.body,
    )
    .join(events, events.c.id == deliveries.c.event_id)
    .join(payloads, payloads.c.id == deliveries.c.payload_id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(of=deliveries, skip_locked=True)
)
# What has fallen due in the open, oldest first; no other claim sees it.
_DUE = _WANTED.where(
    deliveries.c.due_at <= bindparam("now", type_=deliveries.c.due_at.type)
).order_by(deliveries.c.due_at)
# What is first in one lane.
_IN_LANE = _WANTED.where(
    deliveries.c.subscription_id == bindparam("of_subscription"),
    deliveries.c.lane_at <= bindparam("now", type_=deliveries.c.lane_at.type),
).order_by(deliveries.c.lane_at, deliveries.c.id)
# Some subscriptions, whole, and whether their lanes are open.
_OWNERS = (
    select(subscriptions, lanes_table.c.is_open.label("lane_is_open"))
    .join(lanes_table, lanes_table.c.subscription_id == subscriptions.c.id)
    .where(among(subscriptions.c.id, "ids"))
)
# Some deliveries, under a lease of one more fence. A lease that ran out was a loss.
_TAKE = (
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


class _Owner(NamedTuple):
    """A delivery's subscription, None where it cannot be read, and its lane."""

    subscription: Subscription | None
    lane_is_open: bool


def claim_due(
    part: Part,
    *,
    worker: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
    gate: Gate,
) -> tuple[ClaimedDelivery, ...]:
    """See `DeliveryTx`. ``lease_until`` must be after ``now``, else ValueError."""
    if lease_until <= now:
        raise ValueError("A lease must end in the future.")
    claim = _Claim(part, worker=worker, now=now, lease_until=lease_until, gate=gate)
    claim.look_into_lanes(limit - limit // 4)
    claim.look_into_the_open(limit - len(claim.claimed))
    return tuple(claim.claimed)


class _Claim:
    """One claim while it is made."""

    def __init__(
        self, part: Part, *, worker: str, now: datetime, lease_until: datetime, gate: Gate
    ) -> None:
        self._part = part
        self._connection: Connection = part.connection
        self._worker = worker
        self._now = now
        self._lease_until = lease_until
        self._gate = gate
        self.claimed: list[ClaimedDelivery] = []

    # The open.

    def look_into_the_open(self, limit: int) -> None:
        """Take up to ``limit`` deliveries that are due; move away what may not go."""
        for _look in range(_MOST_LOOKS):
            due = self._connection.execute(_DUE, {"now": self._now, "at_most": limit}).all()
            if not due:
                return
            taken = self._take(self._sorted_out(due))
            limit -= taken
            if taken == len(due) or limit <= 0:
                return

    def _sorted_out(self, due: Sequence[AnyRow]) -> list[tuple[AnyRow, Subscription]]:
        """Return what may be sent of what is due, with its owner, and set the rest aside."""
        owners = self._owners({row.subscription_id for row in due})
        sendable: list[tuple[AnyRow, Subscription]] = []
        aside: dict[_Aside, list[AnyRow]] = defaultdict(list)
        for row in due:
            owner = owners[row.subscription_id]
            place = self._place_of(row, owner)
            if place is None and owner.subscription is not None:
                sendable.append((row, owner.subscription))
            elif place is not None:
                aside[place].append(row)
        self._set_aside(aside)
        return sendable

    def _place_of(self, row: AnyRow, owner: _Owner) -> _Aside | None:
        """Return where a delivery belongs that may not be sent now; None: send it."""
        if owner.subscription is None:
            return "unreadable"
        if owner.subscription.state is SubscriptionState.ENDED:
            return "ended"
        if row.losses >= MOST_LOSSES:
            return "lost"
        if owner.lane_is_open or owner.subscription.state is not SubscriptionState.ACTIVE:
            return "lane"
        if self._lets_in(owner.subscription, row):
            return None
        return "lane" if not row.losses else "later"

    def _set_aside(self, aside: dict[_Aside, list[AnyRow]]) -> None:
        backlog.cancel_some(self._connection, _ids(aside["ended"]), now=self._now)
        backlog.fail_some(self._connection, _ids(aside["lost"]), now=self._now)
        backlog.postpone(self._connection, _ids(aside["unreadable"]), until=self._lease_until)
        backlog.postpone(self._connection, _ids(aside["later"]), until=self._now + 5 * _CROWDED)
        for subscription_id in sorted({row.subscription_id for row in aside["lane"]}):
            lanes.enter(self._connection, subscription_id, now=self._now)

    # The lanes.

    def look_into_lanes(self, limit: int) -> None:
        """Take up to ``limit`` deliveries from lanes, a fair part of each."""
        found = lanes.next_ones(
            self._connection, now=self._now, full=self._gate.full(), limit=_MOST_LANES
        )
        if not found:
            return
        owners = self._owners({lane.subscription_id for lane in found})
        before = len(self.claimed)
        visits = []
        for lane in found:
            left = limit - (len(self.claimed) - before)
            if left <= 0:
                break  # the others stay the first in line
            visits.append(self._visit(lane, owners[lane.subscription_id].subscription, left))
        lanes.seen(self._connection, visits)

    def _visit(self, lane: AnyRow, owner: Subscription | None, limit: int) -> Visit:
        if owner is None:
            return _visit(lane, again_at=self._lease_until)
        if owner.state is SubscriptionState.ENDED:
            backlog.cancel(self._connection, owner.id, now=self._now)
            return _visit(lane, again_at=None, stays_open=False)
        most = min(limit, self._gate.room(owner), 1 if lane.is_trickle else limit)
        pace = self._gate.pace(owner)
        if pace is not None:
            most = min(most, max(1, int(pace * _PACE_STEP_S)))
        if most <= 0:
            return _visit(lane, again_at=self._now + _CROWDED)
        taken = self._take(self._from_lane(lane, owner, most))
        if lane.is_trickle and taken:
            return _visit(lane, again_at=self._lease_until)
        return self._next_visit(lane, pace=pace, taken=taken)

    def _from_lane(
        self, lane: AnyRow, owner: Subscription, most: int
    ) -> list[tuple[AnyRow, Subscription]]:
        # A probe asks whether anybody is there again: it need not wait for its own time.
        until = self._lease_until + timedelta(days=365) if lane.is_trickle else self._now
        asked = {"of_subscription": owner.id, "now": until, "at_most": most}
        found = self._connection.execute(_IN_LANE, asked).all()
        backlog.fail_some(
            self._connection, [r.id for r in found if r.losses >= MOST_LOSSES], now=self._now
        )
        return [
            (row, owner) for row in found if row.losses < MOST_LOSSES and self._lets_in(owner, row)
        ]

    def _next_visit(self, lane: AnyRow, *, pace: float | None, taken: int) -> Visit:
        first = lanes.first_due_at(self._connection, lane.subscription_id)
        if first is None:
            keeps = lane.is_trickle or (lane.not_before is not None and lane.not_before > self._now)
            return _visit(lane, again_at=None, stays_open=keeps)
        if not taken:
            return _visit(lane, again_at=max(first, self._now + _CROWDED))
        again = self._now + timedelta(seconds=taken / pace) if pace is not None else self._now
        return _visit(lane, again_at=max(first, again))

    # Both.

    def _lets_in(self, owner: Subscription, row: AnyRow) -> bool:
        losses = row.losses + (row.state == DeliveryState.SENDING)
        return self._gate.take(owner, row.id, retries=row.attempt_count, losses=losses)

    def _take(self, found: Sequence[tuple[AnyRow, Subscription]]) -> int:
        if not found:
            return 0
        self._connection.execute(
            _TAKE,
            {
                "ids": [row.id for row, _owner in found],
                "by": self._worker,
                "until": self._lease_until,
            },
        )
        self.claimed += [self._claimed(row, owner) for row, owner in found]
        return len(found)

    def _claimed(self, row: AnyRow, owner: Subscription) -> ClaimedDelivery:
        return ClaimedDelivery(
            delivery=rows.delivery(row, state=DeliveryState.SENDING),
            lease=Lease(
                delivery_id=row.id,
                worker=self._worker,
                fence=row.fence + 1,
                expires_at=self._lease_until,
            ),
            subscription=owner,
            event_type=row.event_type,
            body=row.body,
            losses=row.losses + (row.state == DeliveryState.SENDING),
        )

    def _owners(self, subscription_ids: Iterable[SubscriptionId]) -> dict[SubscriptionId, _Owner]:
        """Return the subscriptions; one damaged secret must not stop everybody else's."""
        asked = {"ids": sorted(subscription_ids)}
        found = self._connection.execute(_OWNERS, asked)
        return {row.id: _Owner(self._readable(row), row.lane_is_open) for row in found}

    def _readable(self, row: Row[tuple[object, ...]]) -> Subscription | None:
        try:
            return subscription(row, vault=self._part.vault)
        except VaultError:
            _LOG.exception("subscription.unreadable", extra={"subscription_id": row.id})
            return None


def _visit(lane: AnyRow, *, again_at: datetime | None, stays_open: bool = True) -> Visit:
    return Visit(subscription_id=lane.subscription_id, again_at=again_at, stays_open=stays_open)


def _ids(found: Iterable[AnyRow]) -> list[DeliveryId]:
    return [row.id for row in found]
