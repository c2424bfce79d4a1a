"""What goes in and out of the store besides the domain's own values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from app.core.deliveries import Attempt, Delivery, DeliveryState, Lease, Verdict
from app.core.health import HEALTHY, Health
from app.core.ids import AccountId, BatchId, EventId, PayloadId, SubscriptionId
from app.core.jsontypes import JsonObject
from app.core.subscriptions import Subscription, SubscriptionState

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Part of a list, in order; ``next_cursor`` is None at its end."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The exact bytes that deliveries send; made once at ingest."""

    id: PayloadId
    event_id: EventId
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyRecord:
    """What a publish with this key was answered; ``digest`` is of its body."""

    account_id: AccountId
    key: str
    digest: str
    answer: JsonObject
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
    """Everything one attempt needs, under a lease.

    ``subscription`` is as it stood at the claim; a subscription that was paused,
    suspended or ended since the fan-out is not claimed. ``losses`` counts the workers
    that claimed it before and were never heard of again.

    Where a request carries several, this is the first of them, ``others`` are the rest
    under leases of their own, and ``body`` is the whole array.
    """

    delivery: Delivery
    lease: Lease
    subscription: Subscription
    event_type: str
    body: bytes
    losses: int = 0
    batch_id: BatchId | None = None
    others: tuple["ClaimedDelivery", ...] = ()

    @property
    def message_id(self) -> str:
        """Return the ``webhook-id``: the same on every attempt."""
        return self.batch_id or self.delivery.id

    @property
    def members(self) -> tuple["ClaimedDelivery", ...]:
        """Return every delivery that the request carries."""
        return (self, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The end of one attempt, to be written if the lease still holds.

    ``subscription_version`` is that of the claim: a verdict that ends the subscription
    is about the target it had then.
    """

    lease: Lease
    verdict: Verdict
    attempt: Attempt
    settled_at: datetime
    subscription_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionQuery:
    """Which live (not ended) subscriptions of one account to list."""

    target_url: str | None = None
    trigger: str | None = None
    state: SubscriptionState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """Which deliveries of one account to list; times bound ``created_at``."""

    subscription_id: SubscriptionId | None = None
    event_id: EventId | None = None
    trigger: str | None = None
    state: DeliveryState | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events of one account to list; ``since`` bounds ``received_at`` (after)."""

    types: frozenset[str] = field(default_factory=frozenset)
    record_id: str | None = None
    since: datetime | None = None
    only_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionActivity:
    """What a subscription has done so far."""

    delivery_count: int = 0
    last_delivery_at: datetime | None = None


# More deliveries than that wait for a subscription are not counted one by one.
MOST_WAITING = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a subscription stands at the moment.

    Attributes:
        health: How its attempts went lately.
        held_until: Before when its lane gives nothing out; None where it has no such time,
            or is held until further notice. It may have passed.
        waiting: Its deliveries that are not settled, `MOST_WAITING` at most.
    """

    health: Health = HEALTHY
    held_until: datetime | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionChanges:
    """What became of the pieces of a store that keeps its tables in pieces of time.

    ``kept``: old enough to go, and needed by a delivery that waits, or locked.
    """

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
