"""Deliveries as people see them: listed, read, and sent again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.batching import array_of
from app.core.deliveries import Attempt, Delivery
from app.core.errors import ConflictError, NotFoundError
from app.core.events import Event
from app.core.ids import AccountId, BatchId, DeliveryId
from app.core.ports import Tx
from app.core.records import DeliveryQuery, Page, Payload
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStory:
    """A delivery with everything that there is to read about it.

    ``batches``: the bodies of the requests that carried it together with others.
    """

    delivery: Delivery
    event: Event
    subscription: Subscription
    payload: Payload
    attempts: tuple[Attempt, ...]
    batches: Mapping[BatchId, bytes] = field(default_factory=dict)

    def body_of(self, attempt: Attempt) -> bytes:
        """Return the very bytes that an attempt sent."""
        if attempt.batch_id is None:
            return self.payload.body
        return self.batches.get(attempt.batch_id, array_of([self.payload.body]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDelivery:
    """A delivery in a list, with the type of its event."""

    delivery: Delivery
    event_type: str


def list_deliveries(
    context: Context, account_id: AccountId, query: DeliveryQuery, *, limit: int, cursor: str | None
) -> Page[ListedDelivery]:
    """List the account's deliveries, newest first."""
    with context.store.read() as tx:
        page = tx.deliveries(account_id, query, limit=limit, cursor=cursor)
        types = tx.event_types([one.event_id for one in page.items])
        listed = tuple(
            ListedDelivery(delivery=one, event_type=types.get(one.event_id, ""))
            for one in page.items
        )
    return Page(items=listed, next_cursor=page.next_cursor)


def read_delivery(context: Context, account_id: AccountId, delivery_id: str) -> DeliveryStory:
    """Return a delivery with its event, payload and attempts; raises NotFoundError."""
    with context.store.read() as tx:
        delivery = _require_delivery(tx, account_id, delivery_id)
        event = tx.event(delivery.event_id)
        subscription = tx.subscription(delivery.subscription_id)
        payload = tx.payload(delivery.payload_id)
        attempts = tx.attempts(delivery.id)
        batches = tx.batch_bodies({one.batch_id for one in attempts if one.batch_id is not None})
    if event is None or subscription is None or payload is None:
        raise NotFoundError("There is no delivery with this id.")
    return DeliveryStory(
        delivery=delivery,
        event=event,
        subscription=subscription,
        payload=payload,
        attempts=attempts,
        batches=batches,
    )


def redeliver(context: Context, account_id: AccountId, delivery_id: str) -> Delivery:
    """Send a settled delivery again: the same bytes under the same webhook-id.

    Where its subscription batches, in a batch of one, with an id of its own.

    Raises:
        NotFoundError: The account has no such delivery.
        ConflictError: It has not settled yet, or its subscription has ended.
    """
    with context.store.write() as tx:
        delivery = _require_delivery(tx, account_id, delivery_id)
        subscription = tx.subscription(delivery.subscription_id)
        if subscription is None or subscription.state is SubscriptionState.ENDED:
            raise ConflictError("The subscription of this delivery has ended; nobody listens.")
        if not tx.requeue(delivery.id, now=context.clock.now()):
            raise ConflictError(
                "This delivery is still on its way; it will be tried at next_attempt_at."
            )
        due = _require_delivery(tx, account_id, delivery_id)
    context.doorbell.ring()
    return due


def _require_delivery(tx: Tx, account_id: AccountId, delivery_id: str) -> Delivery:
    delivery = tx.delivery(DeliveryId(delivery_id))
    if delivery is None or delivery.account_id != account_id:
        raise NotFoundError("There is no delivery with this id.")
    return delivery
