"""Notices: what befalls subscriptions and the queue, told to the vendor as ordinary events.

They are events of the built-in catalog ``operations`` in an account of the vendor's own, so that
everything that holds for events holds for them: filters, samples, signing, retries, the log. What
befalls the vendor's own subscriptions is not told, as telling it would befall them again.

A notice is written in the transaction of what it tells: both happen, or neither does.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.core import clock, ids
from app.core.accounts import Account
from app.core.catalogs import OPERATIONS
from app.core.deliveries import FINAL_STATES, Delivery, DeliveryState
from app.core.events import NOBODY, Event
from app.core.health import HEALTHY, Health
from app.core.ids import AccountId, EventId
from app.core.jsontypes import JsonObject
from app.core.ports import Tx
from app.core.presence import LATE_AFTER, QueueDepth
from app.core.publishing import disposition, record_id_of
from app.core.records import DeliveryQuery, EventQuery
from app.core.subscriptions import Subscription, SubscriptionState
from app.core.target_urls import host_of
from app.core.weighing import Consequence, NoticeKind
from app.services.context import Context
from app.services.fan_out import fan_out, store_fan_outs
from app.services.lookups import Lookups
from app.services.operations import existing_operations_account

log = logging.getLogger(__name__)

# The event type of each kind, in app/catalog/data/operations.yaml.
EVENT_TYPES: Final = {
    NoticeKind.SUBSCRIPTION_WARNING: "relais_subscription.warned",
    NoticeKind.SUBSCRIPTION_SUSPENDED: "relais_subscription.suspended",
    NoticeKind.SUBSCRIPTION_REINSTATED: "relais_subscription.reinstated",
    NoticeKind.SUBSCRIPTION_GONE: "relais_subscription.gone",
    NoticeKind.DIVERTED_FAILED: "relais_delivery.diversion_failed",
    NoticeKind.BACKLOG: "relais_queue.late",
}
# That the queue is late is told once in so long.
TELL_AGAIN_AFTER: Final = timedelta(hours=1)
_MOST_SIBLINGS: Final = 1_000


def notify(
    context: Context, tx: Tx, kind: NoticeKind, *, about: AccountId | None, data: JsonObject
) -> int:
    """Write a notice and its deliveries in the caller's transaction; return their number.

    ``about`` is the account that it concerns, None for the whole deployment. Where there
    are deliveries, the caller rings the doorbell once it has committed.
    """
    account = existing_operations_account(tx)
    if account is not None and account.id == about:
        return 0
    context.meter.notified(kind.value)
    log.info("notice.given", extra={"kind": kind.value, "account": about})
    if account is None:
        return 0
    found = fan_out(
        context, Lookups(tx, context.memo), account, _event(context, account, kind, data)
    )
    store_fan_outs(tx, [found])
    return len(found.deliveries)


def tell_of_subscription(
    context: Context,
    tx: Tx,
    kind: NoticeKind,
    subscription: Subscription,
    health: Health = HEALTHY,
) -> int:
    """Tell what befell a subscription, which is given as it is afterwards. See `notify`."""
    owner = tx.account(subscription.account_id)
    reason, since = subscription.state_reason, health.failing_since
    data = {
        "subscription_id": subscription.id,
        "customer": None if owner is None else owner.reference,
        "name": subscription.name,
        "platform": subscription.platform,
        "target_host": host_of(subscription.target_url),
        "listens_to": list(subscription.triggers),
        "state": subscription.state.value,
        "reason": None if reason is None else reason.value,
        "failing_since": None if since is None else clock.to_text(since),
        "failures": health.failure_count,
    }
    return notify(context, tx, kind, about=subscription.account_id, data=data)


def tell_what_followed(
    context: Context, tx: Tx, subscription: Subscription, consequence: Consequence
) -> int:
    """Tell what attempts led to, once that is written. See `notify`.

    ``subscription`` is as it stood at the claim.
    """
    if not consequence.notices:
        return 0
    after = _after(subscription, consequence)
    return sum(
        tell_of_subscription(context, tx, kind, after, consequence.health)
        for kind in consequence.notices
    )


def tell_of_lost_diversion(context: Context, tx: Tx, delivery: Delivery) -> int:
    """Tell that a message which the product left to us is lost, if it is. See `notify`.

    ``delivery`` has just ended otherwise than with success, as the transaction sees too.
    The message is lost when its event diverts and no delivery of it succeeded or may yet.
    """
    event = tx.event(delivery.event_id)
    event_type = None if event is None else context.registry.event_type(event.type)
    if event is None or event_type is None or not event_type.diverts:
        return 0
    if not _is_lost(tx, event):
        return 0
    owner = tx.account(event.account_id)
    data = {
        "delivery_id": delivery.id,
        "customer": None if owner is None else owner.reference,
        "lost_event_id": event.id,
        "lost_event_type": event.published_type,
        "lost_record_id": event.record_id,
        "webhook_id": delivery.subscription_id,
        "outcome": None if delivery.outcome is None else delivery.outcome.value,
        "status_code": delivery.status_code,
    }
    return notify(context, tx, NoticeKind.DIVERTED_FAILED, about=event.account_id, data=data)


def warn_of_backlog(context: Context) -> int:
    """Tell that the queue is late, where it is and was not told lately; a periodic job."""
    now = context.clock.now()
    with context.store.read() as tx:
        depth = tx.queue_depth(now=now)
        if not _is_late(depth, now) or _was_told(tx, now):
            return 0
    with context.store.write() as tx:
        data = _backlog(depth, now)
        deliveries = notify(context, tx, NoticeKind.BACKLOG, about=None, data=data)
    if deliveries:
        context.doorbell.ring()
    return 1


def _after(subscription: Subscription, consequence: Consequence) -> Subscription:
    if consequence.end is not None:
        return replace(subscription, state=SubscriptionState.ENDED, state_reason=consequence.end)
    if consequence.suspend is not None:
        return replace(
            subscription, state=SubscriptionState.SUSPENDED, state_reason=consequence.suspend
        )
    if consequence.reinstate:
        return replace(subscription, state=SubscriptionState.ACTIVE, state_reason=None)
    return subscription


def _is_lost(tx: Tx, event: Event) -> bool:
    query = DeliveryQuery(event_id=event.id)
    page = tx.deliveries(event.account_id, query, limit=_MOST_SIBLINGS, cursor=None)
    if page.next_cursor is not None:
        return False  # who knows about the rest of so many
    states = {one.state for one in page.items}
    return states <= FINAL_STATES and DeliveryState.SUCCEEDED not in states


def _is_late(depth: QueueDepth, now: datetime) -> bool:
    return depth.oldest_due_at is not None and now - depth.oldest_due_at > LATE_AFTER


def _was_told(tx: Tx, now: datetime) -> bool:
    account = existing_operations_account(tx)
    if account is None:
        return True  # nobody to tell
    lately = EventQuery(
        types=frozenset({EVENT_TYPES[NoticeKind.BACKLOG]}), since=now - TELL_AGAIN_AFTER
    )
    return bool(tx.events(account.id, lately, limit=1, cursor=None).items)


def _backlog(depth: QueueDepth, now: datetime) -> JsonObject:
    since = depth.oldest_due_at or now
    return {
        "queue": "deliveries",
        "due": depth.due,
        "oldest_due_at": clock.to_text(since),
        "age_seconds": int((now - since).total_seconds()),
    }


def _event(context: Context, account: Account, kind: NoticeKind, data: JsonObject) -> Event:
    now = context.clock.now()
    catalog = context.registry.catalogs[OPERATIONS]
    name = EVENT_TYPES[kind]
    event = Event(
        id=EventId(context.dice.new_id(ids.EVENT)),
        account_id=account.id,
        catalog=OPERATIONS,
        type=name,
        published_type=name,
        data=data,
        occurred_at=now,
        received_at=now,
        actor=NOBODY,
        record_id=record_id_of(catalog.subjects[name.partition(".")[0]], data),
    )
    return replace(event, disposition=disposition(account, catalog, event))
