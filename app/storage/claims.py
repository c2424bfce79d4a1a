"""Claiming: which deliveries a worker may send now.

A claim looks at what is due in the open, oldest first, and into the lanes that want to be
looked into (`app.storage.lanes`). Both questions walk an index and stop at a limit, so a
claim costs what it returns. The worker's gate says how much of each subscription it would
take; what is due in the open beyond that moves to its lane, out of the way of the others.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from app.core.deliveries import MOST_LOSSES, DeliveryState, Lease
from app.core.ids import DeliveryId
from app.core.ports import Gate
from app.core.records import ClaimedDelivery
from app.core.subscriptions import Subscription, SubscriptionState
from app.storage import backlog, batches, lanes
from app.storage.batches import Packed
from app.storage.claimable import DUE, IN_LANE, TAKE
from app.storage.lanes import Visit
from app.storage.owners import Owner, owners
from app.storage.parts import Part
from app.storage.rows import AnyRow
from app.storage.rows import deliveries as rows

# Where a delivery belongs that is due and may not be sent now.
_Aside: TypeAlias = Literal["unreadable", "ended", "lost", "lane", "later"]

_SENDING_OR_PROBING = (SubscriptionState.ACTIVE, SubscriptionState.SUSPENDED)
# Looks at what is due in the open, while looks meet what has to be moved away.
_MOST_LOOKS = 5
_MOST_LANES = 32
# Batches that one look into a lane takes: each may be a megabyte.
_MOST_BATCHES = 8
# What a gate does not let in now is offered again then.
_CROWDED = timedelta(milliseconds=50)
# A lane with a pace gives out at most what is due to it in this time.
_PACE_STEP_S = 0.1


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
    # The open has a quarter for sure; where there is room for one only, they take turns.
    for_lanes = limit - (limit // 4 or now.microsecond % 2)
    claim.look_into_lanes(for_lanes)
    claim.look_into_the_open(limit - len(claim.claimed))
    if not for_lanes and not claim.claimed:
        claim.look_into_lanes(limit)
    return tuple(claim.claimed)


class _Claim:
    """One claim while it is made."""

    def __init__(
        self, part: Part, *, worker: str, now: datetime, lease_until: datetime, gate: Gate
    ) -> None:
        self._part = part
        self._connection = part.connection
        self._worker = worker
        self._now = now
        self._lease_until = lease_until
        self._gate = gate
        self.claimed: list[ClaimedDelivery] = []

    # The open.

    def look_into_the_open(self, limit: int) -> None:
        """Take up to ``limit`` deliveries that are due; move away what may not go."""
        for _look in range(_MOST_LOOKS):
            due = self._connection.execute(DUE, {"now": self._now, "at_most": limit}).all()
            if not due:
                return
            taken = self._take(self._sorted_out(due))
            limit -= taken
            if taken == len(due) or limit <= 0:
                return

    def _sorted_out(self, due: Sequence[AnyRow]) -> list[tuple[AnyRow, Subscription]]:
        """Return what may be sent of what is due, with its owner, and set the rest aside."""
        found = owners(self._part, {row.subscription_id for row in due})
        sendable: list[tuple[AnyRow, Subscription]] = []
        aside: dict[_Aside, list[AnyRow]] = defaultdict(list)
        for row in due:
            place = self._place_of(row, owner := found[row.subscription_id])
            if place is None and owner.subscription is not None:
                sendable.append((row, owner.subscription))
            elif place is not None:
                aside[place].append(row)
        self._set_aside(aside)
        return sendable

    def _place_of(self, row: AnyRow, owner: Owner) -> _Aside | None:
        """Return where a delivery belongs that may not be sent now; None: send it."""
        if owner.subscription is None:
            return "unreadable"
        if owner.subscription.state is SubscriptionState.ENDED:
            return "ended"
        if row.losses >= MOST_LOSSES:
            return "lost"
        is_active = owner.subscription.state is SubscriptionState.ACTIVE
        # A batch finds its members in the lane only.
        if owner.lane_is_open or not is_active or row.batch_id is not None:
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
        their = owners(self._part, {lane.subscription_id for lane in found})
        before = len(self.claimed)
        visits = []
        for lane in found:
            left = limit - (len(self.claimed) - before)
            if left <= 0:
                break  # the others stay the first in line
            visits.append(self._visit(lane, their[lane.subscription_id].subscription, left))
        lanes.seen(self._connection, visits)

    def _visit(self, lane: AnyRow, owner: Subscription | None, limit: int) -> Visit:
        if owner is None or not _may_go(lane, owner):
            return self._visit_in_vain(lane, owner)
        most = min(limit, self._gate.room(owner), 1 if lane.is_trickle else limit)
        pace = self._gate.pace(owner)
        if pace is not None:
            most = min(most, max(1, int(pace * _PACE_STEP_S)))
        if most <= 0:  # its host is full
            return _visit(lane, again_at=self._now + 4 * _CROWDED)
        found = () if owner.batching is not None else self._first_in(lane, owner, most)
        if owner.batching is not None or any(row.batch_id is not None for row in found):
            return self._visit_with_batches(lane, owner, most, pace)
        let_in = [(row, owner) for row in found if self._lets_in(owner, row)]
        if len(let_in) < len(found):
            self._put_off_retries(found, {row.id for row, _owner in let_in})
        taken = self._take(let_in)
        if lane.is_trickle and taken:
            return _visit(lane, again_at=self._lease_until)
        return self._next_visit(lane, pace=pace, taken=taken)

    def _visit_in_vain(self, lane: AnyRow, owner: Subscription | None) -> Visit:
        """Put right what a race left in a lane that gives nothing out."""
        if owner is None:  # nobody can sign for it now
            return _visit(lane, again_at=self._lease_until)
        if owner.state is SubscriptionState.ENDED:
            is_done = backlog.cancel(self._connection, owner.id, now=self._now)
            return _visit(lane, again_at=None if is_done else self._now, stays_open=False)
        lanes.hold(self._connection, owner.id)
        return _visit(lane, again_at=None)

    def _put_off_retries(self, found: Sequence[AnyRow], let_in: Collection[DeliveryId]) -> None:
        """Let those behind come first that have not been tried yet: they have a reserve."""
        refused = [
            row.id for row in found if row.id not in let_in and (row.attempt_count or row.losses)
        ]
        lanes.put_off(self._connection, refused, until=self._now + 20 * _CROWDED)

    def _first_in(self, lane: AnyRow, owner: Subscription, most: int) -> list[AnyRow]:
        asked = {"of_subscription": owner.id, "now": self._until(lane), "at_most": most}
        return self._not_lost(self._connection.execute(IN_LANE, asked).all())

    def _until(self, lane: AnyRow) -> datetime:
        # A probe asks whether anybody is there again: it need not wait for its own time.
        return self._lease_until + timedelta(days=365) if lane.is_trickle else self._now

    def _not_lost(self, found: Sequence[AnyRow]) -> list[AnyRow]:
        lost = [row.id for row in found if row.losses >= MOST_LOSSES]
        backlog.fail_some(self._connection, lost, now=self._now)
        return [row for row in found if row.losses < MOST_LOSSES]

    def _next_visit(self, lane: AnyRow, *, pace: float | None, taken: int) -> Visit:
        first = lanes.first_due_at(self._connection, lane.subscription_id)
        if first is None:
            return _visit(lane, again_at=None, stays_open=self._keeps_open(lane))
        if lane.is_trickle or not taken:  # of a probe, only that nobody let it in matters
            crowded_until = self._now + _CROWDED
            first = crowded_until if lane.is_trickle else max(first, crowded_until)
            return _visit(lane, again_at=first)
        again = self._now + timedelta(seconds=taken / pace) if pace is not None else self._now
        return _visit(lane, again_at=max(first, again))

    def _keeps_open(self, lane: AnyRow) -> bool:
        return lane.is_trickle or (lane.not_before is not None and lane.not_before > self._now)

    def _visit_with_batches(
        self, lane: AnyRow, owner: Subscription, most: int, pace: float | None
    ) -> Visit:
        """Take whole batches of those that go together; see `app.core.batching`."""
        most = min(most, _MOST_BATCHES)
        packing, is_cut = batches.look(
            self._connection,
            owner.id,
            owner.batching,
            now=self._now,
            until=self._until(lane),
            most=most,
        )
        taken, is_all = 0, not is_cut and len(packing.parcels) <= most
        for parcel in packing.parcels[:most]:
            packed = batches.open_parcel(self._connection, parcel)
            is_taken = self._take_parcel(packed, owner)
            taken += is_taken
            is_all &= is_taken and len(packed.rows) >= len(parcel.delivery_ids)
        if lane.is_trickle and taken:
            return _visit(lane, again_at=self._lease_until)
        if not is_all:
            again = timedelta(seconds=taken / pace) if pace is not None else timedelta()
            return _visit(lane, again_at=self._now + (again if taken else _CROWDED))
        first = batches.first_after(self._connection, owner.id, self._now)
        moments = [moment for moment in (packing.rest_at, first) if moment is not None]
        stays_open = bool(moments) or owner.batching is not None or self._keeps_open(lane)
        return _visit(lane, again_at=min(moments, default=None), stays_open=stays_open)

    def _take_parcel(self, packed: Packed, owner: Subscription) -> bool:
        """Take all that goes in one request: one exchange to the gate."""
        rows = self._not_lost(packed.rows)
        if not rows or not self._lets_in(owner, rows[0]):
            return False
        batches.keep(self._connection, packed, now=self._now)
        self._lease(rows)
        first, *others = [self._claimed(row, owner) for row in rows]
        if packed.batch_id is not None:
            first = replace(first, batch_id=packed.batch_id, body=packed.body, others=tuple(others))
        self.claimed.append(first)
        return True

    # Both.

    def _lets_in(self, owner: Subscription, row: AnyRow) -> bool:
        losses = row.losses + (row.state == DeliveryState.SENDING)
        return self._gate.take(owner, row.id, retries=row.attempt_count, losses=losses)

    def _take(self, found: Sequence[tuple[AnyRow, Subscription]]) -> int:
        if not found:
            return 0
        self._lease([row for row, _owner in found])
        self.claimed += [self._claimed(row, owner) for row, owner in found]
        return len(found)

    def _lease(self, rows_: Sequence[AnyRow]) -> None:
        taken = {"ids": _ids(rows_), "by": self._worker, "until": self._lease_until}
        self._connection.execute(TAKE, taken)

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


def _may_go(lane: AnyRow, owner: Subscription) -> bool:
    """Return whether a lane may give anything out, whatever a race made of it."""
    return owner.state in (_SENDING_OR_PROBING if lane.is_trickle else _SENDING_OR_PROBING[:1])


def _visit(lane: AnyRow, *, again_at: datetime | None, stays_open: bool = True) -> Visit:
    return Visit(subscription_id=lane.subscription_id, again_at=again_at, stays_open=stays_open)


def _ids(found: Iterable[AnyRow]) -> list[DeliveryId]:
    return [row.id for row in found]
