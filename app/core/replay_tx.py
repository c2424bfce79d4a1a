"""What replays ask of a store; a part of `app.core.ports.Tx`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from app.core.deliveries import Delivery, DeliveryState
from app.core.events import Event
from app.core.ids import AccountId, EventId, ReplayId, SubscriptionId
from app.core.records import Page
from app.core.replays import Place, Replay, Span


class ReplayTx(Protocol):
    """Replays in a transaction, and what they go through."""

    def add_replay(self, replay: Replay) -> None:
        """Insert."""

    def save_replay(self, replay: Replay) -> None:
        """Write every field."""

    def replay(self, replay_id: ReplayId) -> Replay | None:
        """Return it, or None; in a transaction that writes it is held."""

    def replays(
        self, subscription_id: SubscriptionId, *, limit: int, cursor: str | None
    ) -> Page[Replay]:
        """List those of a subscription, newest first."""

    def has_running_replay(self, subscription_id: SubscriptionId) -> bool:
        """Return whether the subscription has a replay that goes on."""

    def next_replay(self, now: datetime) -> Replay | None:
        """Return the replay whose time came first, for this transaction alone."""

    def events_in(
        self,
        account_id: AccountId,
        span: Span,
        *,
        types: Collection[str],
        after: Place | None,
        limit: int,
    ) -> tuple[Event, ...]:
        """Return events received in the span, oldest first; of any type where none is named."""

    def deliveries_in(
        self,
        subscription_id: SubscriptionId,
        span: Span,
        *,
        state: DeliveryState,
        after: Place | None,
        limit: int,
    ) -> tuple[Delivery, ...]:
        """Return deliveries made in the span, oldest first."""

    def deliveries_of_events(
        self, subscription_id: SubscriptionId, event_ids: Collection[EventId]
    ) -> Mapping[EventId, Delivery]:
        """Return what the subscription was sent of some events."""

    def count_waiting(self, subscription_id: SubscriptionId, *, at_most: int) -> int:
        """Count the subscription's unsettled deliveries, up to about twice ``at_most``."""
