"""What the use cases ask of a store, part by part; `app.core.ports` puts them together."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from app.core.accounts import Account, ApiKey, Resource
from app.core.deliveries import Attempt, Delivery, Lease
from app.core.events import Event
from app.core.health import Health, Lane
from app.core.ids import (
    AccountId,
    BatchId,
    DeliveryId,
    EventId,
    KeyId,
    PayloadId,
    SubscriptionId,
)
from app.core.records import (
    ClaimedDelivery,
    DeliveryQuery,
    EventQuery,
    IdempotencyRecord,
    Page,
    Payload,
    Settlement,
    Standing,
    SubscriptionActivity,
    SubscriptionQuery,
)
from app.core.subscriptions import StateReason, Subscription, SubscriptionState

if TYPE_CHECKING:
    from app.core.ports import Gate


class AccountTx(Protocol):
    """Accounts, keys and resources in a transaction."""

    def add_account(self, account: Account) -> None:
        """Insert; raises ConflictError where the reference is taken."""

    def save_account(self, account: Account) -> None:
        """Write every field of an account that exists."""

    def account(self, account_id: AccountId) -> Account | None:
        """Return the account, or None."""

    def account_by_reference(self, reference: str) -> Account | None:
        """Return the account with the vendor's own id, or None."""

    def accounts(self, *, limit: int, cursor: str | None) -> Page[Account]:
        """List accounts by id."""

    def add_key(self, key: ApiKey) -> None:
        """Insert a key."""

    def keys_by_prefix(self, prefix: str) -> tuple[ApiKey, ...]:
        """Return the keys with this public prefix."""

    def keys(self, account_id: AccountId | None) -> tuple[ApiKey, ...]:
        """Return the keys of an account, or the publisher keys for None, oldest first."""

    def revoke_key(self, key_id: KeyId, *, account_id: AccountId | None, now: datetime) -> bool:
        """Revoke that scope's key; say whether there is such a key."""

    def touch_key(self, key_id: KeyId, now: datetime) -> None:
        """Remember when the key was last used."""

    def put_resources(
        self, account_id: AccountId, kind: str, resources: Sequence[Resource], *, replace: bool
    ) -> None:
        """Insert or update resources; with ``replace`` the others of the kind go."""

    def delete_resource(self, account_id: AccountId, kind: str, resource_id: str) -> bool:
        """Delete one; say whether it was there."""

    def resources(
        self, account_id: AccountId, kind: str, *, search: str, limit: int, offset: int
    ) -> tuple[Resource, ...]:
        """Return resources by label then id, whose label or id contains ``search``.

        Case is ignored. An empty search matches all.
        """

    def resources_by_id(
        self, account_id: AccountId, kind: str, ids: Sequence[str]
    ) -> tuple[Resource, ...]:
        """Return those of the ids that exist."""


class SubscriptionTx(Protocol):
    """Subscriptions in a transaction."""

    def add_subscription(self, subscription: Subscription, *, fingerprint: str) -> bool:
        """Insert; False where a live one of the account has the same fingerprint."""

    def save_subscription(self, subscription: Subscription, *, fingerprint: str) -> None:
        """Write every field; raises ConflictError where the fingerprint is taken."""

    def end_subscription(
        self, subscription_id: SubscriptionId, *, reason: StateReason, now: datetime
    ) -> None:
        """End it and cancel its pending deliveries; harmless where it has ended."""

    def subscription(self, subscription_id: SubscriptionId) -> Subscription | None:
        """Return it, ended or not, or None."""

    def subscription_by_fingerprint(
        self, account_id: AccountId, fingerprint: str
    ) -> Subscription | None:
        """Return the live one with this fingerprint, or None."""

    def subscriptions(
        self, account_id: AccountId, query: SubscriptionQuery, *, limit: int, cursor: str | None
    ) -> Page[Subscription]:
        """List live subscriptions, newest first."""

    def subscriptions_hearing(
        self, account_id: AccountId, triggers: Sequence[str]
    ) -> tuple[Subscription, ...]:
        """Return live subscriptions (any state but ended) on any of the triggers, oldest first."""

    def subscriptions_off(
        self, platforms: Collection[str], *, limit: int
    ) -> tuple[Subscription, ...]:
        """Return those whose automation is off at these platforms, the longest ago first."""

    def unconfirmed_subscriptions(
        self, *, before: datetime, limit: int
    ) -> tuple[SubscriptionId, ...]:
        """Return pending ones whose time to be confirmed ended; nobody else can change them."""

    def count_subscriptions(self, account_id: AccountId) -> int:
        """Count live subscriptions."""

    def activity(
        self, subscription_ids: Sequence[SubscriptionId]
    ) -> Mapping[SubscriptionId, SubscriptionActivity]:
        """Return what each has done; those that did nothing may be left out."""

    def standings(
        self, subscription_ids: Sequence[SubscriptionId]
    ) -> Mapping[SubscriptionId, Standing]:
        """Return how each stands; unknown ones are left out."""


class EventTx(Protocol):
    """Events, payloads and idempotency records in a transaction."""

    def add_events(self, events: Sequence[Event]) -> None:
        """Insert in bulk."""

    def event(self, event_id: EventId) -> Event | None:
        """Return it, or None."""

    def event_types(self, event_ids: Sequence[EventId]) -> Mapping[EventId, str]:
        """Return the types of those of the events that exist."""

    def events(
        self, account_id: AccountId, query: EventQuery, *, limit: int, cursor: str | None
    ) -> Page[Event]:
        """List events, newest first."""

    def add_payloads(self, payloads: Sequence[Payload]) -> None:
        """Insert in bulk."""

    def payload(self, payload_id: PayloadId) -> Payload | None:
        """Return it, or None."""

    def idempotency_record(self, account_id: AccountId, key: str) -> IdempotencyRecord | None:
        """Return what was answered under the key, or None."""

    def add_idempotency_records(self, records: Sequence[IdempotencyRecord]) -> None:
        """Insert; raises ConflictError where another transaction took a key meanwhile."""


class DeliveryTx(Protocol):
    """Deliveries and attempts in a transaction."""

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Insert in bulk."""

    def delivery(self, delivery_id: DeliveryId) -> Delivery | None:
        """Return it, or None."""

    def deliveries(
        self, account_id: AccountId, query: DeliveryQuery, *, limit: int, cursor: str | None
    ) -> Page[Delivery]:
        """List deliveries, newest first."""

    def batch_bodies(self, batch_ids: Collection[BatchId]) -> Mapping[BatchId, bytes]:
        """Return what requests with several deliveries said; unknown ones are left out."""

    def attempts(self, delivery_id: DeliveryId) -> tuple[Attempt, ...]:
        """Return a delivery's attempts, oldest first."""

    def claim_due(
        self,
        *,
        worker: str,
        now: datetime,
        lease_until: datetime,
        limit: int,
        gate: "Gate | None" = None,
    ) -> tuple[ClaimedDelivery, ...]:
        """Take due deliveries of active subscriptions under a lease, oldest due first.

        With a ``gate`` no subscription gets more than it lets in, however much of it is
        due; what is due for the others is taken in its place.

        Due: pending with ``next_attempt_at <= now``, or sending with a lease that
        ended. No delivery is given to two workers, and each claim raises its fence. One
        that was lost with `MOST_LOSSES` workers has failed.

        Those of a subscription with a ``batching`` go together as `app.core.batching` says,
        and from then on always together; to a limit or gate they are one.
        """

    def settle(self, settlements: Sequence[Settlement]) -> tuple[DeliveryId, ...]:
        """Write attempts and verdicts in bulk; return those whose lease was lost.

        A settlement with an old fence changes nothing and its attempt is still kept.
        A verdict that ends the subscription ends it here, with `end_subscription`, unless
        the subscription was changed since the claim: then the delivery is due again.
        """

    def hold_subscriptions(self, subscription_ids: Collection[SubscriptionId]) -> None:
        """Let nobody else change the subscriptions, or weigh them, until the end."""

    def healths(
        self, subscription_ids: Collection[SubscriptionId]
    ) -> Mapping[SubscriptionId, Health]:
        """Return how attempts went lately; those where all went well are left out."""

    def save_health(self, subscription_id: SubscriptionId, health: Health) -> None:
        """Remember how attempts went lately."""

    def set_lane(self, subscription_id: SubscriptionId, lane: Lane, *, now: datetime) -> None:
        """Let the subscription's deliveries go as the lane says; what is paused stays so."""

    def move_subscription(
        self,
        subscription_id: SubscriptionId,
        *,
        state: SubscriptionState,
        reason: StateReason | None,
        version: int,
        now: datetime,
    ) -> bool:
        """Suspend, reinstate or end it, unless it was changed since ``version``; say whether."""

    def release(self, leases: Sequence[Lease]) -> None:
        """Give claimed deliveries back, due at once, where the fence still fits."""

    def requeue(self, delivery_id: DeliveryId, *, now: datetime) -> bool:
        """Make a settled delivery due at once with a fresh set of attempts.

        False where it is not in a final state. Where its subscription batches, it goes by
        itself, in a batch of one.
        """

    def shorten_leases(self, *, now: datetime, longest: timedelta) -> int:
        """End the leases that last twice as long as any lease can; return how many.

        They were taken before the clock was set back, and would keep what a dead worker
        held for as long as that. No clock of another worker is ahead by a lease.
        """

    def next_due_at(self) -> datetime | None:
        """Return when the next pending delivery or lease falls due, or None."""

    def prune(self, *, before: datetime, limit: int) -> int:
        """Delete events received before, whose deliveries are all final; return how many.

        Their payloads, deliveries, attempts and idempotency records go with them.
        """
