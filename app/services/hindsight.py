"""Hindsight: which events a subscription missed, by what it asks for today.

It missed an event that fits it now, by the same decision as at fan-out, and that has no
delivery for it: it was paused then, or asked for something else, or did not exist yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.core.accounts import Account
from app.core.deliveries import Delivery
from app.core.events import Event
from app.core.ids import AccountId
from app.core.jsontypes import JsonObject
from app.core.matching import Decision
from app.core.ports import Tx
from app.core.publishing import collapse_key
from app.core.records import EventQuery
from app.core.replays import Place, Span
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context
from app.services.fan_out import EventView
from app.services.triggers import account_in

_MOST_SIBLINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An event that a subscription missed, and what it would have been sent."""

    event: Event
    trigger: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Seen:
    """An event that was looked at: its delivery, or what was missed, or neither."""

    event: Event
    delivery: Delivery | None = None
    missed: Missed | None = None

    @property
    def place(self) -> Place:
        """Return the place after the event."""
        return Place(self.event.received_at, self.event.id)


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Looks back at events, in a transaction, as one subscription would have seen them."""

    context: Context
    tx: Tx
    account: Account
    subscription: Subscription

    @classmethod
    def of(cls, context: Context, tx: Tx, subscription: Subscription) -> "Hindsight":
        """Return that of a subscription, whether it is active now or not."""
        active = replace(subscription, state=SubscriptionState.ACTIVE, state_reason=None)
        return cls(context, tx, account_in(tx, subscription.account_id), active)

    @property
    def types(self) -> frozenset[str]:
        """Return the types of events that the subscription's triggers hear."""
        known = [self.context.registry.trigger(key) for key in self.subscription.triggers]
        return frozenset(name for one in known if one is not None for name in one.event_names)

    def look_at(
        self, span: Span, *, after: Place | None, limit: int, of_any_type: bool = False
    ) -> tuple[Seen, ...]:
        """Return up to ``limit`` events of the span, oldest first, each as it was looked at."""
        if not of_any_type and not self.types:
            return ()
        events = self.tx.events_in(
            self.subscription.account_id,
            span,
            types=() if of_any_type else self.types,
            after=after,
            limit=limit,
        )
        ids = [event.id for event in events]
        deliveries = self.tx.deliveries_of_events(self.subscription.id, ids)
        return tuple(self._seen(event, deliveries.get(event.id)) for event in events)

    def _seen(self, event: Event, delivery: Delivery | None) -> Seen:
        if delivery is not None:
            return Seen(event, delivery=delivery)
        decision = self._decide(event)
        if decision.trigger is None or decision.payload is None or self._is_superseded(event):
            return Seen(event)
        missed = Missed(event=event, trigger=decision.trigger.key, payload=decision.payload)
        return Seen(event, missed=missed)

    def _decide(self, event: Event) -> Decision:
        return EventView(self.context, self.account, event).decide(self.subscription)

    def _is_superseded(self, event: Event) -> bool:
        """Return whether a later event of its transaction stands for it.

        See `app.core.publishing.collapse_key`.
        """
        key = collapse_key(self.context.registry, event)
        if key is None:
            return False
        return any(
            (one.received_at, one.id) > (event.received_at, event.id)
            and collapse_key(self.context.registry, one) == key
            and self._decide(one).fires
            for one in self._on_same_record(event)
        )

    def _on_same_record(self, event: Event) -> Sequence[Event]:
        query = EventQuery(
            types=frozenset({event.type}),
            record_id=event.record_id,
            since=event.received_at - timedelta(microseconds=1),
        )
        page = self.tx.events(AccountId(event.account_id), query, limit=_MOST_SIBLINGS, cursor=None)
        return page.items
