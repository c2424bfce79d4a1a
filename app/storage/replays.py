"""Replays in a transaction, and what they go through: events and deliveries, oldest first."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from app.core import ids
from app.core.deliveries import Delivery, DeliveryState
from app.core.events import Event
from app.core.ids import AccountId, EventId, ReplayId, SubscriptionId
from app.core.records import Page
from app.core.replays import Place, Replay, ReplayKind, ReplayState, Span
from app.storage.each_of import among
from app.storage.paging import Position, from_cursor, page_of
from app.storage.parts import Part, changes
from app.storage.rows import AnyRow
from app.storage.rows import deliveries as delivery_rows
from app.storage.rows import events as event_rows
from app.storage.tables import deliveries, events, replays

_D, _E, _R = deliveries.c, events.c, replays.c
_IS_RUNNING = _R.next_at.is_not(None)
# What one subscription was sent of some events.
_OF_EVENTS = select(*delivery_rows.DELIVERY_COLUMNS).where(
    among(_D.event_id, "ids"), _D.subscription_id == bindparam("of_subscription")
)
# Some of what waits for one subscription, in the open and in its lane.
_IS_OF = _D.subscription_id == bindparam("of_subscription")
_LIMIT = bindparam("at_most", type_=Integer)
_WAITING = select(func.count()).select_from(
    union_all(
        select(select(_D.due_at).where(_IS_OF, _D.due_at.is_not(None)).limit(_LIMIT).subquery()),
        select(select(_D.lane_at).where(_IS_OF, _D.lane_at.is_not(None)).limit(_LIMIT).subquery()),
    ).subquery()
)


class ReplayPart(Part):
    """See `ReplayTx`."""

    __slots__ = ()

    def add_replay(self, replay: Replay) -> None:
        """See `ReplayTx`."""
        # A new replay.
        self.connection.execute(insert(replays).values(_row(replay)))

    def save_replay(self, replay: Replay) -> None:
        """See `ReplayTx`."""
        # Every field of one replay.
        statement = update(replays).where(_R.id == replay.id)
        self.connection.execute(statement.values(changes(_row(replay))))

    def replay(self, replay_id: ReplayId) -> Replay | None:
        """See `ReplayTx`."""
        # One replay.
        statement = select(replays).where(_R.id == replay_id)
        if self.may_write:
            statement = statement.with_for_update()
        row = self.connection.execute(statement).one_or_none()
        return _replay(row) if row else None

    def replays(
        self, subscription_id: SubscriptionId, *, limit: int, cursor: str | None
    ) -> Page[Replay]:
        """See `ReplayTx`."""
        # The replays of a subscription after the cursor, newest first.
        statement = (
            select(replays)
            .where(_R.subscription_id == subscription_id)
            .order_by(_R.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            statement = statement.where(_R.id < from_cursor(cursor, prefix=ids.REPLAY).id)
        return page_of(
            self.connection.execute(statement).all(),
            limit=limit,
            read=_replay,
            position=lambda replay: Position(replay.created_at, replay.id),
        )

    def has_running_replay(self, subscription_id: SubscriptionId) -> bool:
        """See `ReplayTx`."""
        # A replay of the subscription that goes on.
        statement = select(_R.id).where(_R.subscription_id == subscription_id, _IS_RUNNING).limit(1)
        return self.connection.execute(statement).first() is not None

    def next_replay(self, now: datetime) -> Replay | None:
        """See `ReplayTx`."""
        # The replay that has waited longest, for us alone.
        statement = (
            select(replays)
            .where(_R.next_at <= now)
            .order_by(_R.next_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self.connection.execute(statement).one_or_none()
        return _replay(row) if row else None

    def events_in(
        self,
        account_id: AccountId,
        span: Span,
        *,
        types: Collection[str],
        after: Place | None,
        limit: int,
    ) -> tuple[Event, ...]:
        """See `ReplayTx`."""
        conditions = [_E.account_id == account_id, *_within(span, after, _E.received_at, _E.id)]
        if types:
            conditions.append(_E.type.in_(sorted(types)))
        # Events of an account, oldest first.
        statement = select(events).where(*conditions).order_by(_E.received_at, _E.id).limit(limit)
        return tuple(event_rows.event(row) for row in self.connection.execute(statement))

    def deliveries_in(
        self,
        subscription_id: SubscriptionId,
        span: Span,
        *,
        state: DeliveryState,
        after: Place | None,
        limit: int,
    ) -> tuple[Delivery, ...]:
        """See `ReplayTx`."""
        # Deliveries of a subscription in one state, oldest first.
        statement = (
            select(*delivery_rows.DELIVERY_COLUMNS)
            .where(
                _D.subscription_id == subscription_id,
                _D.state == state.value,
                *_within(span, after, _D.created_at, _D.id),
            )
            .order_by(_D.created_at, _D.id)
            .limit(limit)
        )
        return tuple(delivery_rows.delivery(row) for row in self.connection.execute(statement))

    def deliveries_of_events(
        self, subscription_id: SubscriptionId, event_ids: Collection[EventId]
    ) -> Mapping[EventId, Delivery]:
        """See `ReplayTx`."""
        asked = {"ids": sorted(event_ids), "of_subscription": subscription_id}
        found = self.connection.execute(_OF_EVENTS, asked)
        return {row.event_id: delivery_rows.delivery(row) for row in found}

    def count_waiting(self, subscription_id: SubscriptionId, *, at_most: int) -> int:
        """See `ReplayTx`."""
        asked = {"of_subscription": subscription_id, "at_most": at_most}
        return self.connection.execute(_WAITING, asked).scalar_one()


def _within(
    span: Span, after: Place | None, moment: Column[datetime], id_column: Column[str]
) -> list[ColumnElement[bool]]:
    """Return the conditions for rows of the span after a place, spelt for an index on both."""
    before_end = moment < span.until
    if after is None:
        return [moment >= span.since, before_end]
    later = or_(moment > after.moment, id_column > after.id)
    return [and_(moment >= max(after.moment, span.since), later), before_end]


def _row(replay: Replay) -> dict[str, Any]:
    return {
        "id": replay.id,
        "account_id": replay.account_id,
        "subscription_id": replay.subscription_id,
        "since": replay.span.since,
        "until": replay.span.until,
        "only": replay.only.value,
        "state": replay.state.value,
        "found": replay.found,
        "sent": replay.sent,
        "position": replay.place.to_text() if replay.place else None,
        "created_at": replay.created_at,
        "next_at": replay.next_at,
        "finished_at": replay.finished_at,
    }


def _replay(row: AnyRow) -> Replay:
    return Replay(
        id=row.id,
        account_id=row.account_id,
        subscription_id=row.subscription_id,
        span=Span(since=row.since, until=row.until),
        only=ReplayKind(row.only),
        state=ReplayState(row.state),
        found=row.found,
        sent=row.sent,
        place=Place.from_text(row.position) if row.position else None,
        created_at=row.created_at,
        next_at=row.next_at,
        finished_at=row.finished_at,
    )
