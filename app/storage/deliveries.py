"""Deliveries and attempts in a transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.core import ids
from app.core.deliveries import FINAL_STATES, Attempt, Delivery, Lease
from app.core.ids import AccountId, DeliveryId
from app.core.records import ClaimedDelivery, DeliveryQuery, Page, Settlement, Shares
from app.storage import backlog, claims, pruning, settling, tables
from app.storage.locks import share_subscriptions
from app.storage.paging import Position, from_cursor, older_than, page_of
from app.storage.parts import Part, execute_all
from app.storage.rows import deliveries as rows

_DELIVERIES = tables.deliveries.c
_ATTEMPTS = tables.attempts.c


class DeliveryPart(Part):
    """See `DeliveryTx`."""

    __slots__ = ()

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `DeliveryTx`.

        Those of a paused or suspended subscription are held; those of one that has ended
        meanwhile are cancelled by the next claim.
        """
        share_subscriptions(self.connection, [each.subscription_id for each in deliveries])
        # New deliveries, due as their subscriptions allow.
        execute_all(self.connection, backlog.ADD, [_new_row(each) for each in deliveries])

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
        shares: Shares | None = None,
    ) -> tuple[ClaimedDelivery, ...]:
        """See `DeliveryTx`."""
        return claims.claim_due(
            self, worker=worker, now=now, lease_until=lease_until, limit=limit, shares=shares
        )

    def settle(self, settlements: Sequence[Settlement]) -> tuple[DeliveryId, ...]:
        """See `DeliveryTx`."""
        return settling.settle(self.connection, settlements)

    def release(self, leases: Sequence[Lease]) -> None:
        """See `DeliveryTx`."""
        settling.release(self.connection, leases)

    def requeue(self, delivery_id: DeliveryId, *, now: datetime) -> bool:
        """See `DeliveryTx`. False as well where its subscription has ended."""
        return backlog.requeue(self.connection, delivery_id, now=now)

    def next_due_at(self) -> datetime | None:
        """See `DeliveryTx`. What is held is not due."""
        # When the next delivery or lease falls due.
        statement = select(func.min(_DELIVERIES.due_at)).where(_DELIVERIES.due_at.is_not(None))
        due_at: datetime | None = self.connection.execute(statement).scalar_one()
        return due_at

    def prune(self, *, before: datetime, limit: int) -> int:
        """See `DeliveryTx`."""
        return pruning.prune(self.connection, before=before, limit=limit)


def _new_row(delivery: Delivery) -> dict[str, Any]:
    """Return the values for `backlog.ADD`."""
    is_final = delivery.state in FINAL_STATES
    return rows.delivery_row(delivery) | {
        "of_subscription": delivery.subscription_id,
        "claimable_at": None if is_final else delivery.next_attempt_at or delivery.created_at,
    }


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
