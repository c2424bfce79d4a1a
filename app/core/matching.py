"""Does this event fire this subscription? One pure decision, with its reason.

Fan-out, dry run, explain and the diversion check all ask `decide`.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from app.core import filters
from app.core.catalogs import Trigger
from app.core.events import Disposition, Event
from app.core.filters import Filter, Mismatch
from app.core.jsontypes import JsonObject
from app.core.subscriptions import Subscription, SubscriptionState


class Reason(StrEnum):
    """Why an event did or did not fire a subscription."""

    FIRED = "fired"
    ACCOUNT_OFF = "account_off"
    SILENT_ORIGIN = "silent_origin"
    COLLAPSED = "collapsed"
    NOT_SUBSCRIBED_YET = "not_subscribed_yet"  # told when explaining, never at fan-out
    CHANGED_SINCE = "changed_since"  # likewise: it would fire now
    UNCONFIRMED = "unconfirmed"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    ENDED = "ended"
    OTHER_TRIGGER = "other_trigger"
    TRIGGER_UNAVAILABLE = "trigger_unavailable"
    OTHER_RESOURCE = "other_resource"
    FILTER_FALSE = "filter_false"


class Decision(NamedTuple):
    """Whether an event fires a subscription, and why (not).

    Attributes:
        trigger: The trigger of the subscription that fires, or that came closest.
        payload: What is sent, where it fires.
        mismatch: The failing part of the filter, for FILTER_FALSE.
        resource_id: The event's resource, for OTHER_RESOURCE.
    """

    reason: Reason
    trigger: Trigger | None = None
    payload: JsonObject | None = None
    mismatch: Mismatch | None = None
    resource_id: str | None = None

    @property
    def fires(self) -> bool:
        """Return whether a delivery is due."""
        return self.reason is Reason.FIRED


_DISPOSITIONS: Mapping[Disposition, Reason] = {
    Disposition.ACCOUNT_OFF: Reason.ACCOUNT_OFF,
    Disposition.SILENT: Reason.SILENT_ORIGIN,
    Disposition.COLLAPSED: Reason.COLLAPSED,
}
_STATES: Mapping[SubscriptionState, Reason] = {
    SubscriptionState.PENDING: Reason.UNCONFIRMED,
    SubscriptionState.PAUSED: Reason.PAUSED,
    SubscriptionState.SUSPENDED: Reason.SUSPENDED,
    SubscriptionState.ENDED: Reason.ENDED,
}
# How close a decision came to firing, for choosing among several triggers' reasons.
_CLOSENESS = (
    Reason.OTHER_TRIGGER,
    Reason.TRIGGER_UNAVAILABLE,
    Reason.OTHER_RESOURCE,
    Reason.FILTER_FALSE,
    Reason.FIRED,
)

PayloadOf = Callable[[Trigger, Subscription], JsonObject]


class Asked(NamedTuple):
    """What a decision may ask about the event; answers may be remembered.

    Attributes:
        available: Whether the account can use the trigger.
        resource_of: The resource that the event is about, as the trigger sees it.
        payload_of: What the event says when it fires the trigger.
        filter_of: The subscription's filter, read.
        diverts: Whether the product leaves a message to whoever the event fires.
    """

    available: Callable[[Trigger], bool]
    resource_of: Callable[[Trigger], str | None]
    payload_of: PayloadOf
    filter_of: Callable[[Subscription], Filter | None]
    diverts: bool = False


def decide(
    event: Event,
    subscription: Subscription,
    *,
    triggers: Mapping[str, Trigger],
    asked: Asked,
) -> Decision:
    """Return whether the event fires the subscription.

    A subscription to several triggers gets one delivery an event: for the first of its
    triggers, in the order it lists them, that fires. ``triggers`` are those that hear
    the event's type, by key.
    """
    best = Decision(reason=Reason.OTHER_TRIGGER)
    hearing = [triggers[key] for key in subscription.triggers if key in triggers]
    early = _early_reason(event, subscription, asked)
    if hearing and early is not None:
        return Decision(reason=early)
    for trigger in hearing:
        decision = _decide_trigger(trigger, subscription, asked)
        if decision.fires:
            return decision
        best = max(best, decision, key=lambda one: _CLOSENESS.index(one.reason))
    return best


def _early_reason(event: Event, subscription: Subscription, asked: Asked) -> Reason | None:
    """Return why the event fires the subscription's triggers in no case, or None.

    What the service suspended goes on to collect its events, until its target is well
    again. But it must not take over a message that the product would then not send.
    """
    if event.disposition is not Disposition.OPEN:
        return _DISPOSITIONS[event.disposition]
    if subscription.state is SubscriptionState.SUSPENDED and not asked.diverts:
        return None
    return _STATES.get(subscription.state)


def _decide_trigger(trigger: Trigger, subscription: Subscription, asked: Asked) -> Decision:
    if not asked.available(trigger):
        return Decision(reason=Reason.TRIGGER_UNAVAILABLE, trigger=trigger)
    resource_id = asked.resource_of(trigger)
    if subscription.resource_ids and resource_id not in subscription.resource_ids:
        return Decision(reason=Reason.OTHER_RESOURCE, trigger=trigger, resource_id=resource_id)
    payload = asked.payload_of(trigger, subscription)
    mismatch = filters.mismatch(asked.filter_of(subscription), payload)
    if mismatch is not None:
        return Decision(reason=Reason.FILTER_FALSE, trigger=trigger, mismatch=mismatch)
    return Decision(reason=Reason.FIRED, trigger=trigger, payload=payload)
