"""Settling: what attempts came to, written in bulk under the fences of their leases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from app.core.deliveries import FINAL_STATES, DeliveryState, Lease
from app.core.ids import AttemptId, DeliveryId, SubscriptionId
from app.core.records import Settlement
from app.core.subscriptions import SubscriptionState
from app.storage import activity, lanes, locks
from app.storage.bulk import Bulk, bulk_insert
from app.storage.each_of import among
from app.storage.parts import in_batches
from app.storage.rows import AnyRow
from app.storage.rows import deliveries as rows
from app.storage.subscription_states import end
from app.storage.tables import attempts, deliveries, subscriptions
from app.storage.tables import lanes as lanes_table

_Standing = Mapping[DeliveryId, AnyRow]
_Owners = Mapping[SubscriptionId, AnyRow]

# How some deliveries stand now; locked.
_STANDING = (
    select(
        deliveries.c.id,
        deliveries.c.state,
        deliveries.c.fence,
        deliveries.c.next_attempt_at,
        deliveries.c.subscription_id,
    )
    .where(among(deliveries.c.id, "ids"))
    .order_by(deliveries.c.id)
    .with_for_update()
)
# How their subscriptions stand, and whether their lanes are open.
_OWNERS = (
    select(
        subscriptions.c.id,
        subscriptions.c.state,
        subscriptions.c.version,
        subscriptions.c.updated_at,
        lanes_table.c.is_open,
    )
    .join(lanes_table, lanes_table.c.subscription_id == subscriptions.c.id)
    .where(among(subscriptions.c.id, "ids"))
)
_ONE = update(deliveries).where(deliveries.c.id == bindparam("of_delivery"))
# Where one delivery goes: the statement of both a settlement and a release.
_MOVE_ONE = _ONE.values(
    state=bindparam("to_state"),
    next_attempt_at=bindparam("to_next_attempt_at"),
    due_at=bindparam("to_due_at"),
    lane_at=bindparam("to_lane_at"),
    settled_at=bindparam("to_settled_at"),
)
_MOVE = Bulk(_MOVE_ONE)
# The same, and what its attempt came to.
_SETTLE = Bulk(
    _MOVE_ONE.values(
        attempt_count=bindparam("to_attempt_count"),
        outcome=bindparam("to_outcome"),
        status_code=bindparam("to_status_code"),
        losses=0,  # whoever sent it lives
    )
)
_KEEP_ATTEMPTS = bulk_insert(attempts)


def settle(connection: Connection, settlements: Sequence[Settlement]) -> tuple[DeliveryId, ...]:
    """See `DeliveryTx`.

    A retry is cancelled where its subscription has ended meanwhile, and waits in its lane
    where that is open. So does a delivery that becomes due again.
    """
    may_end = any(not _is_sent(each) for each in settlements)
    leases = [each.lease for each in settlements]
    standing = _standing(connection, leases, may_end=may_end)
    held = [each for each in settlements if _holds(each.lease, standing)]
    lost = () if len(held) == len(settlements) else _without(settlements, held)
    _keep_attempts(connection, settlements, lost, standing)
    owners = _owners(connection, [one for one in held if not _is_sent(one)], standing)
    moves = [_settled(each, standing[each.lease.delivery_id], owners) for each in held]
    _SETTLE.run(connection, moves)
    _count_sent(connection, held, standing)
    if may_end:
        _poke(connection, moves, standing)
        _end_subscriptions(connection, held, standing, owners)
    return tuple(each.lease.delivery_id for each in lost)


def _without(
    settlements: Sequence[Settlement], held: Sequence[Settlement]
) -> tuple[Settlement, ...]:
    """Return the settlements whose leases were lost."""
    kept = {id(each) for each in held}
    return tuple(each for each in settlements if id(each) not in kept)


def release(connection: Connection, leases: Sequence[Lease]) -> None:
    """See `DeliveryTx`. A delivery is due again at the time for which it was claimed."""
    standing = _standing(connection, leases, may_end=False)
    held = [lease for lease in leases if _holds(lease, standing)]
    owners = _owners(connection, held, standing)
    found = [standing[lease.delivery_id] for lease in held]
    moves = [_pending(row, row.next_attempt_at, owners[row.subscription_id]) for row in found]
    _MOVE.run(connection, moves)
    _poke(connection, moves, standing)


def _standing(connection: Connection, leases: Sequence[Lease], *, may_end: bool) -> _Standing:
    """Return how each delivery stands now, locked until the transaction ends.

    Where the transaction ``may_end`` one of their subscriptions, or change its state, those
    come first and alone, see `app.storage.locks`.
    """
    delivery_ids = sorted({lease.delivery_id for lease in leases})
    if may_end:
        locks.hold_owners(connection, delivery_ids)
    return {row.id: row for row in connection.execute(_STANDING, {"ids": delivery_ids})}


def _owners(
    connection: Connection, claimed: Sequence[Settlement | Lease], standing: _Standing
) -> _Owners:
    """Return how the subscriptions of some deliveries stand; of none, nothing is asked."""
    of = {
        standing[(one if isinstance(one, Lease) else one.lease).delivery_id].subscription_id
        for one in claimed
    }
    if not of:
        return {}
    return {row.id: row for row in connection.execute(_OWNERS, {"ids": sorted(of)})}


def _is_sent(settlement: Settlement) -> bool:
    return settlement.verdict.state is DeliveryState.SUCCEEDED


def _holds(lease: Lease, standing: _Standing) -> bool:
    """Return whether the lease is the delivery's last one and nobody ended it."""
    row = standing.get(lease.delivery_id)
    return row is not None and row.fence == lease.fence and row.state == DeliveryState.SENDING


def _keep_attempts(
    connection: Connection,
    settlements: Sequence[Settlement],
    lost: Sequence[Settlement],
    standing: _Standing,
) -> None:
    """Keep what was sent and answered, even under a lost lease; nothing of what is pruned."""
    kept = _kept_attempts(connection, [each.attempt.id for each in lost])
    _KEEP_ATTEMPTS.run(
        connection,
        [
            rows.attempt_row(each.attempt)
            for each in settlements
            if each.attempt.delivery_id in standing and each.attempt.id not in kept
        ],
    )


def _kept_attempts(connection: Connection, attempt_ids: Sequence[AttemptId]) -> set[AttemptId]:
    """Return those that are kept already.

    A worker whose connection broke during the commit settles again: what it did then
    looks like a lost lease.
    """
    kept: set[AttemptId] = set()
    for batch in in_batches(attempt_ids):
        # Some attempts, by id.
        statement = select(attempts.c.id).where(attempts.c.id.in_(batch))
        kept.update(connection.execute(statement).scalars())
    return kept


def _settled(settlement: Settlement, row: AnyRow, owners: _Owners) -> dict[str, Any]:
    """Return the values for `_SETTLE`."""
    verdict, outcome = settlement.verdict, settlement.attempt.outcome
    if _is_sent(settlement):
        move = _final(row, verdict.state, settlement.settled_at)
    elif _is_about_an_older_target(settlement, owners[row.subscription_id]):
        move = _pending(row, settlement.settled_at, owners[row.subscription_id])
    elif verdict.state in FINAL_STATES:
        move = _final(row, verdict.state, settlement.settled_at)
    else:
        move = _pending(row, verdict.next_attempt_at, owners[row.subscription_id])
    return move | {
        "to_attempt_count": verdict.attempt_count,
        "to_outcome": outcome.kind.value,
        "to_status_code": outcome.status_code,
    }


def _is_about_an_older_target(settlement: Settlement, owner: AnyRow) -> bool:
    """Return whether a verdict would end a subscription that was changed since the claim.

    Nobody listens at the target that it had; what it has now deserves the delivery.
    """
    would_end = settlement.verdict.ends_subscription is not None
    return would_end and settlement.subscription_version != owner.version


def _final(row: AnyRow, state: DeliveryState, settled_at: datetime) -> dict[str, Any]:
    """Return the values for `_MOVE` to the end of the story."""
    return {
        "of_delivery": row.id,
        "to_state": state.value,
        "to_next_attempt_at": None,
        "to_due_at": None,
        "to_lane_at": None,
        "to_settled_at": settled_at,
    }


def _pending(row: AnyRow, next_attempt_at: datetime | None, owner: AnyRow) -> dict[str, Any]:
    """Return the values for `_MOVE` to the next attempt, as the subscription allows."""
    if owner.state == SubscriptionState.ENDED:
        return _final(row, DeliveryState.CANCELLED, owner.updated_at)
    return {
        "of_delivery": row.id,
        "to_state": DeliveryState.PENDING.value,
        "to_next_attempt_at": next_attempt_at,
        "to_due_at": None if owner.is_open else next_attempt_at,
        "to_lane_at": next_attempt_at if owner.is_open else None,
        "to_settled_at": None,
    }


def _poke(connection: Connection, moves: Sequence[Mapping[str, Any]], standing: _Standing) -> None:
    """Open the lanes that deliveries went back to."""
    lanes.poke(
        connection,
        [
            (standing[move["of_delivery"]].subscription_id, move["to_lane_at"])
            for move in moves
            if move["to_lane_at"] is not None
        ],
    )


def _count_sent(
    connection: Connection, settlements: Sequence[Settlement], standing: _Standing
) -> None:
    """Count the deliveries that succeeded, per subscription."""
    sent = [
        (standing[each.lease.delivery_id].subscription_id, each.settled_at)
        for each in settlements
        if each.verdict.state is DeliveryState.SUCCEEDED
    ]
    activity.count(connection, sent)


def _end_subscriptions(
    connection: Connection, settlements: Sequence[Settlement], standing: _Standing, owners: _Owners
) -> None:
    """End the subscriptions whose targets said that nobody listens any more."""
    for each in settlements:
        reason = each.verdict.ends_subscription
        subscription_id = standing[each.lease.delivery_id].subscription_id
        if reason is not None and not _is_about_an_older_target(each, owners[subscription_id]):
            end(connection, subscription_id, reason=reason, now=each.settled_at)
