"""Deliveries and attempts in a transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update

from app.core import ids
from app.core.deliveries import Attempt, Delivery, DeliveryState, Lease
from app.core.health import Health, Lane
from app.core.ids import AccountId, BatchId, DeliveryId, SubscriptionId
from app.core.ports import Gate
from app.core.records import ClaimedDelivery, DeliveryQuery, Page, Settlement
from app.core.subscriptions import StateReason, SubscriptionState
from app.storage import backlog, batches, claims, lanes, locks, pruning, settling, tables
from app.storage import health as healths
from app.storage.gates import OPEN
from app.storage.paging import Position, from_cursor, older_than, page_of
from app.storage.parts import Part
from app.storage.rows import deliveries as rows
from app.storage.subscription_states import move, set_lane

_DELIVERIES = tables.deliveries.c
_ATTEMPTS = tables.attempts.c


class DeliveryPart(Part):
    """See `DeliveryTx`."""

    __slots__ = ()

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `DeliveryTx`.

        Those of a subscription with an open lane wait in it; those of one that has ended
        meanwhile are cancelled by the next claim.
        """
        backlog.add(self.connection, deliveries)

    def delivery(self, delivery_id: DeliveryId) -> Delivery | None:
        """See `DeliveryTx`."""
        # One delivery.
        statement = select(*rows.DELIVERY_COLUMNS).where(_DELIVERIES.id == delivery_id)
        row = self.connection.execute(statement).one_or_none()
        return rows.delivery(row) if row else None

    def deliveries(
        self, account_id: AccountId, query: DeliveryQuery, *, limit: int, cursor: str | None
    ) -> Page[Delivery]:
        """See `DeliveryTx`. In the order of `created_at`, then id."""
        # Deliveries of an account after the cursor, newest first.
        statement = (
            select(*rows.DELIVERY_COLUMNS)
            .where(_DELIVERIES.account_id == account_id, *_conditions(query))
            .order_by(_DELIVERIES.created_at.desc(), _DELIVERIES.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            last = from_cursor(cursor, prefix=ids.DELIVERY)
            statement = statement.where(older_than(last, _DELIVERIES.created_at, _DELIVERIES.id))
        return page_of(
            self.connection.execute(statement).all(),
            limit=limit,
            read=rows.delivery,
            position=lambda delivery: Position(delivery.created_at, delivery.id),
        )

    def batch_bodies(self, batch_ids: Collection[BatchId]) -> Mapping[BatchId, bytes]:
        """See `DeliveryTx`."""
        return batches.bodies(self.connection, batch_ids)

    def attempts(self, delivery_id: DeliveryId) -> tuple[Attempt, ...]:
        """See `DeliveryTx`."""
        # The attempts of a delivery, oldest first.
        statement = (
            select(tables.attempts)
            .where(_ATTEMPTS.delivery_id == delivery_id)
            .order_by(_ATTEMPTS.started_at, _ATTEMPTS.id)
        )
        return tuple(rows.attempt(row) for row in self.connection.execute(statement))

    def claim_due(
        self,
        *,
        worker: str,
        now: datetime,
        lease_until: datetime,
        limit: int,
        gate: Gate | None = None,
    ) -> tuple[ClaimedDelivery, ...]:
        """See `DeliveryTx`."""
        return claims.claim_due(
            self,
            worker=worker,
            now=now,
            lease_until=lease_until,
            limit=limit,
            gate=OPEN if gate is None else gate,
        )

    def settle(self, settlements: Sequence[Settlement]) -> tuple[DeliveryId, ...]:
        """See `DeliveryTx`."""
        return settling.settle(self.connection, settlements)

    def hold_subscriptions(self, subscription_ids: Collection[SubscriptionId]) -> None:
        """See `DeliveryTx`."""
        locks.hold_subscriptions(self.connection, subscription_ids)

    def healths(
        self, subscription_ids: Collection[SubscriptionId]
    ) -> Mapping[SubscriptionId, Health]:
        """See `DeliveryTx`."""
        return healths.of_subscriptions(self.connection, subscription_ids)

    def save_health(self, subscription_id: SubscriptionId, health: Health) -> None:
        """See `DeliveryTx`."""
        healths.save(self.connection, subscription_id, health)

    def set_lane(self, subscription_id: SubscriptionId, lane: Lane, *, now: datetime) -> None:
        """See `DeliveryTx`."""
        set_lane(self.connection, subscription_id, lane, now=now)

    def move_subscription(
        self,
        subscription_id: SubscriptionId,
        *,
        state: SubscriptionState,
        reason: StateReason | None,
        version: int,
        now: datetime,
    ) -> bool:
        """See `DeliveryTx`."""
        return move(
            self.connection, subscription_id, state=state, reason=reason, version=version, now=now
        )

    def release(self, leases: Sequence[Lease]) -> None:
        """See `DeliveryTx`."""
        settling.release(self.connection, leases)

    def requeue(self, delivery_id: DeliveryId, *, now: datetime) -> bool:
        """See `DeliveryTx`. False as well where its subscription has ended."""
        return backlog.requeue(self.connection, delivery_id, now=now)

    def shorten_leases(self, *, now: datetime, longest: timedelta) -> int:
        """See `DeliveryTx`."""
        # Deliveries under a lease that is too long, due at once.
        statement = (
            update(tables.deliveries)
            .where(
                _DELIVERIES.state == DeliveryState.SENDING.value,
                _DELIVERIES.due_at > now + 2 * longest,
            )
            .values(lease_expires_at=now, due_at=now)
        )
        return self.connection.execute(statement).rowcount

    def next_due_at(self) -> datetime | None:
        """See `DeliveryTx`. What is held is not due."""
        # When the next delivery or lease in the open falls due.
        statement = select(func.min(_DELIVERIES.due_at)).where(_DELIVERIES.due_at.is_not(None))
        in_the_open: datetime | None = self.connection.execute(statement).scalar_one()
        in_a_lane = lanes.next_look_at(self.connection)
        return min((due for due in (in_the_open, in_a_lane) if due is not None), default=None)

    def prune(self, *, before: datetime, limit: int) -> int:
        """See `DeliveryTx`."""
        return pruning.prune(self.connection, before=before, limit=limit)


def _conditions(query: DeliveryQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.subscription_id is not None:
        conditions.append(_DELIVERIES.subscription_id == query.subscription_id)
    if query.event_id is not None:
        conditions.append(_DELIVERIES.event_id == query.event_id)
    if query.trigger is not None:
        conditions.append(_DELIVERIES.trigger == query.trigger)
    if query.state is not None:
        conditions.append(_DELIVERIES.state == query.state.value)
    if query.since is not None:
        conditions.append(_DELIVERIES.created_at >= query.since)
    if query.until is not None:
        conditions.append(_DELIVERIES.created_at < query.until)
    return conditions
