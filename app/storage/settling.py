"""Settling: what attempts came to, written in bulk under the fences of their leases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from app.core.deliveries import FINAL_STATES, DeliveryState, Lease
from app.core.ids import AttemptId, DeliveryId
from app.core.records import Settlement
from app.core.subscriptions import SubscriptionState
from app.storage import activity, locks
from app.storage.parts import execute_all, in_batches, insert_all
from app.storage.rows import AnyRow
from app.storage.rows import deliveries as rows
from app.storage.subscription_states import end
from app.storage.tables import attempts, deliveries, subscriptions

_Standing = Mapping[DeliveryId, AnyRow]

# How some deliveries stand now, and their subscriptions; locked.
_STANDING = (
    select(
        deliveries.c.id,
        deliveries.c.state,
        deliveries.c.fence,
        deliveries.c.next_attempt_at,
        deliveries.c.subscription_id,
        subscriptions.c.state.label("subscription_state"),
        subscriptions.c.version.label("subscription_version"),
        subscriptions.c.updated_at.label("subscription_updated_at"),
    )
    .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(deliveries.c.id)
    .with_for_update(of=deliveries)
)
_ONE = update(deliveries).where(deliveries.c.id == bindparam("of_delivery"))
# Where one delivery goes: the statement of both a settlement and a release.
_MOVE = _ONE.values(
    state=bindparam("to_state"),
    next_attempt_at=bindparam("to_next_attempt_at"),
    due_at=bindparam("to_due_at"),
    settled_at=bindparam("to_settled_at"),
)
# The same, and what its attempt came to.
_SETTLE = _MOVE.values(
    attempt_count=bindparam("to_attempt_count"),
    outcome=bindparam("to_outcome"),
    status_code=bindparam("to_status_code"),
)


def settle(connection: Connection, settlements: Sequence[Settlement]) -> tuple[DeliveryId, ...]:
    """See `DeliveryTx`.

    A retry is cancelled where its subscription has ended meanwhile, and held where it was
    paused or suspended. So is a delivery that becomes due again.
    """
    leases = [each.lease for each in settlements]
    ends = any(each.verdict.ends_subscription for each in settlements)
    standing = _standing(connection, leases, may_end=ends)
    _keep_attempts(connection, settlements, standing)
    held = [each for each in settlements if _holds(each.lease, standing)]
    moves = [_settled(each, standing[each.lease.delivery_id]) for each in held]
    execute_all(connection, _SETTLE, moves)
    _count_sent(connection, held, standing)
    _end_subscriptions(connection, held, standing)
    return tuple(each.lease.delivery_id for each in settlements if not _holds(each.lease, standing))


def release(connection: Connection, leases: Sequence[Lease]) -> None:
    """See `DeliveryTx`. A delivery is due again at the time for which it was claimed."""
    standing = _standing(connection, leases, may_end=False)
    held = [standing[lease.delivery_id] for lease in leases if _holds(lease, standing)]
    execute_all(connection, _MOVE, [_pending(row, row.next_attempt_at) for row in held])


def _standing(connection: Connection, leases: Sequence[Lease], *, may_end: bool) -> _Standing:
    """Return how each delivery stands now, locked until the transaction ends.

    Their subscriptions come first, see `app.storage.locks`: alone where the transaction
    ``may_end`` one of them.
    """
    delivery_ids = sorted({lease.delivery_id for lease in leases})
    locks.hold_owners(connection, delivery_ids, alone=may_end)
    standing: dict[DeliveryId, AnyRow] = {}
    for batch in in_batches(delivery_ids):
        standing |= {row.id: row for row in connection.execute(_STANDING, {"ids": batch})}
    return standing


def _holds(lease: Lease, standing: _Standing) -> bool:
    """Return whether the lease is the delivery's last one and nobody ended it."""
    row = standing.get(lease.delivery_id)
    return row is not None and row.fence == lease.fence and row.state == DeliveryState.SENDING


def _keep_attempts(
    connection: Connection, settlements: Sequence[Settlement], standing: _Standing
) -> None:
    lost = [each.attempt.id for each in settlements if not _holds(each.lease, standing)]
    kept = _kept_attempts(connection, lost)
    # What was sent and answered, even under a lost lease; nothing of a pruned delivery.
    insert_all(
        connection,
        attempts,
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


def _settled(settlement: Settlement, row: AnyRow) -> dict[str, Any]:
    """Return the values for `_SETTLE`."""
    verdict, outcome = settlement.verdict, settlement.attempt.outcome
    if _is_about_an_older_target(settlement, row):
        move = _pending(row, settlement.settled_at)
    elif verdict.state in FINAL_STATES:
        move = _final(row, verdict.state, settlement.settled_at)
    else:
        move = _pending(row, verdict.next_attempt_at)
    return move | {
        "to_attempt_count": verdict.attempt_count,
        "to_outcome": outcome.kind.value,
        "to_status_code": outcome.status_code,
    }


def _is_about_an_older_target(settlement: Settlement, row: AnyRow) -> bool:
    """Return whether a verdict would end a subscription that was changed since the claim.

    Nobody listens at the target that it had; what it has now deserves the delivery.
    """
    would_end = settlement.verdict.ends_subscription is not None
    return would_end and settlement.subscription_version != row.subscription_version


def _final(row: AnyRow, state: DeliveryState, settled_at: datetime) -> dict[str, Any]:
    """Return the values for `_MOVE` to the end of the story."""
    return {
        "of_delivery": row.id,
        "to_state": state.value,
        "to_next_attempt_at": None,
        "to_due_at": None,
        "to_settled_at": settled_at,
    }


def _pending(row: AnyRow, next_attempt_at: datetime | None) -> dict[str, Any]:
    """Return the values for `_MOVE` to the next attempt, as the subscription allows."""
    if row.subscription_state == SubscriptionState.ENDED:
        return _final(row, DeliveryState.CANCELLED, row.subscription_updated_at)
    is_active = row.subscription_state == SubscriptionState.ACTIVE
    return {
        "of_delivery": row.id,
        "to_state": DeliveryState.PENDING.value,
        "to_next_attempt_at": next_attempt_at,
        "to_due_at": next_attempt_at if is_active else None,
        "to_settled_at": None,
    }


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
    connection: Connection, settlements: Sequence[Settlement], standing: _Standing
) -> None:
    """End the subscriptions whose targets said that nobody listens any more."""
    for each in settlements:
        row = standing[each.lease.delivery_id]
        reason = each.verdict.ends_subscription
        if reason is not None and not _is_about_an_older_target(each, row):
            end(connection, row.subscription_id, reason=reason, now=each.settled_at)
