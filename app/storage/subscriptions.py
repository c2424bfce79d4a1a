"""Subscriptions in a transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, insert, select, update

from app.core import ids
from app.core.errors import ConflictError
from app.core.ids import AccountId, SubscriptionId
from app.core.records import Page, Standing, SubscriptionActivity, SubscriptionQuery
from app.core.subscriptions import StateReason, Subscription, SubscriptionState
from app.storage import activity, lanes, standings
from app.storage.each_of import among
from app.storage.locks import take_account
from app.storage.paging import Position, from_cursor, page_of
from app.storage.parts import Part, changes
from app.storage.rows import subscriptions as rows
from app.storage.subscription_states import change_state, end, write_triggers
from app.storage.tables import (
    LIVE,
    SUSPENDED,
    UNCONFIRMED,
    subscription_triggers,
    subscriptions,
)

# Live subscriptions of an account on any of some triggers, oldest first: asked at every
# ingest, so it is put together once.
_ALL_HEARING = (
    select(subscriptions)
    .where(
        subscriptions.c.id.in_(
            select(subscription_triggers.c.subscription_id).where(
                subscription_triggers.c.account_id == bindparam("of_account"),
                among(subscription_triggers.c.trigger, "triggers"),
            )
        )
    )
    .order_by(subscriptions.c.id)
)


class SubscriptionPart(Part):
    """See `SubscriptionTx`."""

    __slots__ = ()

    def add_subscription(self, subscription: Subscription, *, fingerprint: str) -> bool:
        """See `SubscriptionTx`."""
        row = rows.subscription_row(subscription, fingerprint=fingerprint, vault=self.vault)
        try:
            with self.connection.begin_nested():
                # A new subscription, unless a live one has its fingerprint.
                self.connection.execute(insert(subscriptions).values(row))
        except ConflictError:
            return False
        activity.begin(self.connection, subscription.id)
        is_held = subscription.state is not SubscriptionState.ACTIVE
        is_open = subscription.batching is not None
        lanes.begin(self.connection, subscription.id, is_held=is_held, is_open=is_open)
        write_triggers(self.connection, subscription)
        return True

    def save_subscription(self, subscription: Subscription, *, fingerprint: str) -> None:
        """See `SubscriptionTx`. Deliveries are held, let go or cancelled with the state."""
        change_state(self.connection, subscription)
        row = rows.subscription_row(subscription, fingerprint=fingerprint, vault=self.vault)
        # Every field of one subscription.
        statement = update(subscriptions).where(subscriptions.c.id == subscription.id)
        self.connection.execute(statement.values(changes(row)))
        write_triggers(self.connection, subscription)

    def end_subscription(
        self, subscription_id: SubscriptionId, *, reason: StateReason, now: datetime
    ) -> None:
        """See `SubscriptionTx`. What is being sent now settles by its own verdict."""
        end(self.connection, subscription_id, reason=reason, now=now)

    def subscription(self, subscription_id: SubscriptionId) -> Subscription | None:
        """See `SubscriptionTx`."""
        return self._one(subscriptions.c.id == subscription_id)

    def subscription_by_fingerprint(
        self, account_id: AccountId, fingerprint: str
    ) -> Subscription | None:
        """See `SubscriptionTx`."""
        return self._one(_live_of(account_id), subscriptions.c.fingerprint == fingerprint)

    def _one(self, *conditions: ColumnElement[bool]) -> Subscription | None:
        # The one subscription with this id or fingerprint.
        statement = select(subscriptions).where(*conditions)
        if self.may_write:  # nobody else may change it between our look and our change
            statement = statement.with_for_update(key_share=True)
        row = self.connection.execute(statement).one_or_none()
        return rows.subscription(row, vault=self.vault) if row else None

    def subscriptions(
        self, account_id: AccountId, query: SubscriptionQuery, *, limit: int, cursor: str | None
    ) -> Page[Subscription]:
        """See `SubscriptionTx`."""
        # Live subscriptions of an account after the cursor, newest first.
        statement = (
            select(subscriptions)
            .where(_live_of(account_id), *_conditions(account_id, query))
            .order_by(subscriptions.c.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            last = from_cursor(cursor, prefix=ids.SUBSCRIPTION)
            statement = statement.where(subscriptions.c.id < last.id)
        return page_of(
            self.connection.execute(statement).all(),
            limit=limit,
            read=lambda row: rows.subscription(row, vault=self.vault),
            position=lambda each: Position(each.created_at, each.id),
        )

    def subscriptions_hearing(
        self, account_id: AccountId, triggers: Sequence[str]
    ) -> tuple[Subscription, ...]:
        """See `SubscriptionTx`."""
        asked = {"of_account": account_id, "triggers": triggers}
        found = self.connection.execute(_ALL_HEARING, asked)
        return tuple(rows.subscription(row, vault=self.vault) for row in found)

    def subscriptions_off(
        self, platforms: Collection[str], *, limit: int
    ) -> tuple[Subscription, ...]:
        """See `SubscriptionTx`."""
        # Subscriptions of some platforms that are off, the longest ago first.
        statement = (
            select(subscriptions)
            .where(
                SUSPENDED,
                subscriptions.c.state_reason == StateReason.TARGET_OFF.value,
                subscriptions.c.platform.in_(sorted(platforms)),
            )
            .order_by(subscriptions.c.updated_at)
            .limit(limit)
        )
        found = self.connection.execute(statement)
        return tuple(rows.subscription(row, vault=self.vault) for row in found)

    def unconfirmed_subscriptions(
        self, *, before: datetime, limit: int
    ) -> tuple[SubscriptionId, ...]:
        """See `SubscriptionTx`."""
        # Pending subscriptions whose time to be confirmed ended, the longest ago first.
        statement = (
            select(subscriptions.c.id)
            .where(UNCONFIRMED, subscriptions.c.confirm_until < before)
            .order_by(subscriptions.c.confirm_until)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
        return tuple(self.connection.execute(statement).scalars())

    def count_subscriptions(self, account_id: AccountId) -> int:
        """See `SubscriptionTx`."""
        if self.may_write:  # nobody else may add one between our count and ours
            take_account(self.connection, account_id)
        # How many live subscriptions an account has.
        statement = select(func.count()).select_from(subscriptions).where(_live_of(account_id))
        return self.connection.execute(statement).scalar_one()

    def activity(
        self, subscription_ids: Sequence[SubscriptionId]
    ) -> Mapping[SubscriptionId, SubscriptionActivity]:
        """See `SubscriptionTx` and `app.storage.activity`."""
        return activity.of_subscriptions(self.connection, subscription_ids)

    def standings(
        self, subscription_ids: Sequence[SubscriptionId]
    ) -> Mapping[SubscriptionId, Standing]:
        """See `SubscriptionTx` and `app.storage.standings`."""
        return standings.of_subscriptions(self.connection, subscription_ids)


def _live_of(account_id: AccountId) -> ColumnElement[bool]:
    return and_(subscriptions.c.account_id == account_id, LIVE)


def _hearing(account_id: AccountId, triggers: Sequence[str]) -> Select[Any]:
    """Return the question for the ids of subscriptions on any of the triggers."""
    return select(subscription_triggers.c.subscription_id).where(
        subscription_triggers.c.account_id == account_id,
        subscription_triggers.c.trigger.in_(triggers),
    )


def _conditions(account_id: AccountId, query: SubscriptionQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.target_url is not None:
        conditions.append(subscriptions.c.target_url == query.target_url)
    if query.trigger is not None:
        conditions.append(subscriptions.c.id.in_(_hearing(account_id, [query.trigger])))
    if query.state is not None:
        conditions.append(subscriptions.c.state == query.state.value)
    return conditions
