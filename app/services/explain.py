"""Explain: for one event, why each of the account's subscriptions fired or did not."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from app.core.deliveries import Delivery
from app.core.events import Disposition, Event
from app.core.ids import AccountId, DeliveryId, EventId, SubscriptionId
from app.core.jsontypes import JsonObject
from app.core.matching import Decision, Reason
from app.core.ports import Tx
from app.core.publishing import collapse_key
from app.core.records import DeliveryQuery, EventQuery, SubscriptionQuery
from app.core.subscriptions import Subscription
from app.services.context import Context
from app.services.events import require_event
from app.services.fan_out import EventView
from app.services.reasons import ReasonWriter
from app.services.triggers import account_in
from app.services.wishes import CheckedWish, Wish, check_wish

# For a wish to be tried that says no target URL: nothing is sent there.
DRY_RUN_TARGET = "https://example.com/"
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one subscription fired or not; ``text`` is in the asked language."""

    subscription: Subscription
    trigger: str | None
    reason: Reason
    text: str
    delivery_id: DeliveryId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a subscription like this would have been sent of the latest events."""

    checked: int
    matched: tuple[JsonObject, ...]
    misses: tuple[tuple[EventId, Reason, str], ...]


def explain_event(
    context: Context, account_id: AccountId, event_id: str, *, language: str
) -> tuple[Event, tuple[Explanation, ...]]:
    """Return why each live subscription of the account fired or did not.

    A delivery is a recorded fact. Where there is none, the subscription is asked as it
    stands now: one that was changed since the event is explained by what it says today.

    Raises:
        NotFoundError: The account has no such event.
    """
    with context.store.read() as tx:
        event = require_event(tx, event_id, account_id)
        view = EventView(context, account_in(tx, account_id), _before_collapsing(event))
        deliveries = _deliveries_by_subscription(tx, event)
        writer = ReasonWriter(view, tx, language)
        explanations = tuple(
            _explain(writer, one, deliveries.get(one.id))
            for one in _subscriptions(tx, account_id, deliveries)
        )
    return event, explanations


def dry_run(
    context: Context, account_id: AccountId, wish: Wish, *, limit: int, language: str
) -> DryRun:
    """Return which of the latest ``limit`` events a subscription like ``wish`` would get.

    Raises:
        InvalidRequestError, TriggerUnavailableError: As for subscribing.
    """
    with context.store.read() as tx:
        account = account_in(tx, account_id)
        checked = check_wish(context, tx, account, wish)
        matched: list[JsonObject] = []
        misses: list[tuple[EventId, Reason, str]] = []
        events = list(_latest_events(context, tx, account_id, checked.triggers, limit))
        for event in events:
            view = EventView(context, account, event)
            decision = view.decide(_imagined(account_id, event, checked))
            if decision.payload is not None:
                matched.append(decision.payload)
            else:
                writer = ReasonWriter(view, tx, language)
                text = writer.text(decision, checked.resource_ids)
                misses.append((event.id, decision.reason, text))
    return DryRun(checked=len(events), matched=tuple(matched), misses=tuple(misses))


def _explain(
    writer: ReasonWriter, subscription: Subscription, delivery: Delivery | None
) -> Explanation:
    if delivery is not None:
        return Explanation(
            subscription=subscription,
            trigger=delivery.trigger,
            reason=Reason.FIRED,
            text=writer.text(Decision(reason=Reason.FIRED), ()),
            delivery_id=delivery.id,
        )
    decision = _hindsight(writer.view, subscription)
    return Explanation(
        subscription=subscription,
        trigger=None if decision.trigger is None else decision.trigger.key,
        reason=decision.reason,
        text=writer.text(decision, subscription.resource_ids),
    )


def _before_collapsing(event: Event) -> Event:
    """Return a collapsed event as it was matched, since each subscription has its reason."""
    if event.disposition is not Disposition.COLLAPSED:
        return event
    return replace(event, disposition=Disposition.OPEN)


def _hindsight(view: EventView, subscription: Subscription) -> Decision:
    """Return why there is no delivery, by what the subscription says today."""
    if subscription.created_at > view.event.received_at:
        return Decision(reason=Reason.NOT_SUBSCRIBED_YET)
    decision = view.decide(subscription)
    if not decision.fires:
        return decision
    # In a transaction, only the last event on a record that fires is sent.
    collapses = collapse_key(view.context.registry, view.event) is not None
    reason = Reason.COLLAPSED if collapses else Reason.CHANGED_SINCE
    return Decision(reason=reason, trigger=decision.trigger)


def _imagined(account_id: AccountId, event: Event, checked: CheckedWish) -> Subscription:
    """Return the subscription as if it had been there when the event came."""
    return Subscription(
        id=SubscriptionId("sub_imagined"),
        account_id=account_id,
        triggers=checked.triggers,
        target_url=checked.target_url,
        secret="",
        created_at=event.received_at,
        updated_at=event.received_at,
        resource_ids=checked.resource_ids,
        filter=checked.filter,
    )


def _deliveries_by_subscription(tx: Tx, event: Event) -> dict[SubscriptionId, Delivery]:
    query = DeliveryQuery(event_id=event.id)
    return {one.subscription_id: one for one in _all_deliveries(tx, event.account_id, query)}


def _all_deliveries(tx: Tx, account_id: AccountId, query: DeliveryQuery) -> Iterator[Delivery]:
    cursor: str | None = None
    while True:
        page = tx.deliveries(account_id, query, limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _subscriptions(
    tx: Tx, account_id: AccountId, delivered: Collection[SubscriptionId]
) -> Iterator[Subscription]:
    """Yield the live subscriptions, then the ended ones that the event still reached."""
    live: set[SubscriptionId] = set()
    cursor: str | None = None
    while True:
        page = tx.subscriptions(account_id, SubscriptionQuery(), limit=_PAGE, cursor=cursor)
        live |= {one.id for one in page.items}
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    ended = (tx.subscription(one) for one in delivered if one not in live)
    yield from (one for one in ended if one is not None)


def _latest_events(
    context: Context, tx: Tx, account_id: AccountId, triggers: tuple[str, ...], limit: int
) -> Iterator[Event]:
    known = [context.registry.trigger(key) for key in triggers]
    types = frozenset(name for one in known if one is not None for name in one.event_names)
    cursor: str | None = None
    while limit > 0:
        asked = min(limit, _PAGE)
        page = tx.events(account_id, EventQuery(types=types), limit=asked, cursor=cursor)
        yield from page.items
        limit -= len(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return
