"""Fan-out: which subscriptions does an event fire, and what is each one sent?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from app.core import ids, jsontext
from app.core.accounts import Account
from app.core.availability import unavailable_reason
from app.core.catalogs import Trigger
from app.core.deliveries import Delivery
from app.core.events import Disposition, Event
from app.core.filters import Filter
from app.core.ids import DeliveryId, PayloadId
from app.core.jsontypes import JsonObject
from app.core.matching import Asked, Decision, decide
from app.core.ports import Tx
from app.core.publishing import collapse_key, resource_id_of
from app.core.records import Payload
from app.core.shapes import narrowing
from app.core.subscriptions import Subscription
from app.services.context import Context
from app.services.lookups import Lookups, read_filter_of
from app.services.triggers import payload_of_event

# The trigger that fires, and the resources that narrow the shape of its payloads.
_PayloadKey: TypeAlias = tuple[str, tuple[str, ...]]


class FanOut(NamedTuple):
    """An event, the payloads made of it, and a delivery for each subscription it fires."""

    event: Event
    payloads: tuple[Payload, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


@dataclass
class EventView:
    """One event as matching sees it; what many subscriptions ask is answered once."""

    context: Context
    account: Account
    event: Event
    filter_of: Callable[[Subscription], Filter | None] = read_filter_of
    made: dict[_PayloadKey, JsonObject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare what every decision needs."""
        self.triggers = _hearing(self.context, self.event.type)
        self._available: dict[str, bool] = {}
        self._resources: dict[str, str | None] = {}
        self._asked = Asked(
            available=self._is_available,
            resource_of=self._resource_of,
            payload_of=self.payload_of,
            filter_of=self.filter_of,
            diverts=self.diverts,
        )

    def decide(self, subscription: Subscription) -> Decision:
        """Return whether the event fires the subscription, and why."""
        return decide(self.event, subscription, triggers=self.triggers, asked=self._asked)

    @property
    def diverts(self) -> bool:
        """Return whether the product leaves a message to whoever the event fires."""
        event_type = self.context.registry.event_type(self.event.type)
        return event_type is not None and event_type.diverts

    def payload_of(self, trigger: Trigger, subscription: Subscription) -> JsonObject:
        """Return what the subscription would be sent for the trigger."""
        key = self.payload_key(trigger, subscription)
        if key not in self.made:
            self.made[key] = payload_of_event(
                self.context, self.account, self.event, trigger, key[1]
            )
        return self.made[key]

    def payload_key(self, trigger: Trigger, subscription: Subscription) -> _PayloadKey:
        """Return what tells payloads of this event apart."""
        return trigger.key, narrowing(self.account.overlay, subscription.resource_ids)

    def _is_available(self, trigger: Trigger) -> bool:
        if trigger.key not in self._available:
            catalog = self.context.registry.catalogs[trigger.catalog]
            reason = unavailable_reason(self.account, catalog, trigger)
            self._available[trigger.key] = reason is None
        return self._available[trigger.key]

    def _resource_of(self, trigger: Trigger) -> str | None:
        if trigger.key not in self._resources:
            subject = self.context.registry.catalogs[trigger.catalog].subjects[trigger.subject]
            self._resources[trigger.key] = resource_id_of(trigger, subject, self.event.data)
        return self._resources[trigger.key]


def _hearing(context: Context, event_type: str) -> Mapping[str, Trigger]:
    """Return the triggers that hear events of a type, by key."""
    return context.memo.get(
        ("hearing", event_type),
        lambda: {one.key: one for one in context.registry.triggers_hearing(event_type)},
    )


def fan_out(context: Context, lookups: Lookups, account: Account, event: Event) -> FanOut:
    """Return what the event sets off, read in the caller's transaction; writes nothing."""
    if event.disposition is not Disposition.OPEN:
        return FanOut(event=event)
    view = EventView(context, account, event, filter_of=lookups.filter_of)
    subscriptions = lookups.subscriptions_hearing(account.id, list(view.triggers))
    payloads: dict[_PayloadKey, Payload] = {}
    deliveries: list[Delivery] = []
    for subscription in subscriptions:
        decision = view.decide(subscription)
        if not decision.fires or decision.trigger is None or decision.payload is None:
            continue
        key = view.payload_key(decision.trigger, subscription)
        if key not in payloads:
            payloads[key] = _payload(context, event, decision.payload)
        deliveries.append(
            _delivery(context, event, subscription, decision.trigger, payloads[key].id)
        )
    return FanOut(event=event, payloads=tuple(payloads.values()), deliveries=tuple(deliveries))


def collapsed(context: Context, found: Sequence[FanOut]) -> list[FanOut]:
    """Return the fan-outs with only the last of several deliveries that collapse.

    See `app.core.publishing.collapse_key`. An event none of whose deliveries is left is
    marked as collapsed.
    """
    keys = [collapse_key(context.registry, one.event) for one in found]
    if not any(keys):
        return list(found)
    last = {
        (key, delivery.subscription_id): delivery.id
        for key, one in zip(keys, found, strict=True)
        for delivery in one.deliveries
    }
    return [
        one if key is None else _kept(one, {last[key, d.subscription_id] for d in one.deliveries})
        for key, one in zip(keys, found, strict=True)
    ]


def _kept(found: FanOut, delivery_ids: Collection[DeliveryId]) -> FanOut:
    deliveries = tuple(one for one in found.deliveries if one.id in delivery_ids)
    if len(deliveries) == len(found.deliveries):
        return found
    payload_ids = {one.payload_id for one in deliveries}
    event = found.event if deliveries else replace(found.event, disposition=Disposition.COLLAPSED)
    return FanOut(
        event=event,
        payloads=tuple(one for one in found.payloads if one.id in payload_ids),
        deliveries=deliveries,
    )


def store_fan_outs(tx: Tx, fan_outs: Sequence[FanOut]) -> None:
    """Write events, payloads and deliveries together: the outbox."""
    tx.add_events([one.event for one in fan_outs])
    tx.add_payloads([payload for one in fan_outs for payload in one.payloads])
    tx.add_deliveries([delivery for one in fan_outs for delivery in one.deliveries])


def _payload(context: Context, event: Event, made: JsonObject) -> Payload:
    payload_id = PayloadId(context.dice.new_id(ids.PAYLOAD))
    return Payload(id=payload_id, event_id=event.id, body=jsontext.encode(made))


def _delivery(
    context: Context,
    event: Event,
    subscription: Subscription,
    trigger: Trigger,
    payload_id: PayloadId,
) -> Delivery:
    return Delivery(
        id=DeliveryId(context.dice.new_id(ids.DELIVERY)),
        account_id=event.account_id,
        event_id=event.id,
        subscription_id=subscription.id,
        trigger=trigger.key,
        payload_id=payload_id,
        created_at=event.received_at,
        next_attempt_at=event.received_at,
    )
