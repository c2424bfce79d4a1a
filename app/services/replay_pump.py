"""The replay pump: gives running replays to delivery, little by little, never twice.

One step of a replay is one transaction: what it sends and how far it has come are written
together, so a crash neither skips nor repeats anything. A step sends a second's worth and
waits while the subscription has as much waiting already: what happens now never stands
behind a long past.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.core import ids, jsontext
from app.core.deliveries import Delivery
from app.core.ids import DeliveryId, PayloadId
from app.core.ports import Tx
from app.core.records import Payload
from app.core.replays import USUAL_PACE, Place, Replay, ReplayState
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context
from app.services.hindsight import Missed
from app.services.replays import Step, over, steps

# In one call of the pump, and in one of its transactions.
_MOST_STEPS = 10
_MOST_LOOKED_AT = 200
# Deliveries of the subscription that may wait while it goes on, in seconds of its pace.
_MOST_AHEAD_S = 2
_CROWDED = timedelta(seconds=1)
# When to look again at one whose subscription is paused or suspended.
_HELD = timedelta(seconds=10)


@dataclass
class _Some:
    """A part of what a replay comes by."""

    place: Place | None = None
    again: list[DeliveryId] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    is_the_end: bool = False


def pump_replays(context: Context) -> int:
    """Go on with the replays whose time has come; return how many deliveries that made.

    Bounded, and to be called every second or so. Several processes may: each replay is
    in the hands of one.
    """
    sent = 0
    for _step in range(_MOST_STEPS):
        now = context.clock.now()
        with context.store.write() as tx:
            before = tx.next_replay(now)
            if before is None:
                break
            after = _go_on(context, tx, before, now)
            tx.save_replay(after)
        sent += after.sent - before.sent
    if sent:
        context.doorbell.ring()
    return sent


def _go_on(context: Context, tx: Tx, before: Replay, now: datetime) -> Replay:
    subscription = tx.subscription(before.subscription_id)
    if subscription is None or subscription.state is SubscriptionState.ENDED:
        return over(before, ReplayState.CANCELLED, now)
    if subscription.state is not SubscriptionState.ACTIVE:
        return replace(before, next_at=now + _HELD)
    per_second = subscription.per_second or USUAL_PACE
    most_waiting = per_second * _MOST_AHEAD_S
    if tx.count_waiting(subscription.id, at_most=most_waiting) >= most_waiting:
        return replace(before, next_at=now + _CROWDED)
    return _send_some(context, tx, before, subscription, now)


def _send_some(
    context: Context, tx: Tx, before: Replay, subscription: Subscription, now: datetime
) -> Replay:
    per_second = subscription.per_second or USUAL_PACE
    coming = steps(context, tx, subscription, before.span, before.only, after=before.place)
    some = _gather(coming, at_most=before.allowance(now, per_second=per_second))
    sent = sum(tx.requeue(delivery_id, now=now) for delivery_id in some.again)
    _send_missed(context, tx, subscription, some.missed, now)
    sent += len(some.missed)
    after = replace(before, place=some.place or before.place, sent=before.sent + sent)
    if some.is_the_end:
        return over(after, ReplayState.DONE, now)
    return replace(after, next_at=before.next_after(sent, now, per_second=per_second))


def _gather(coming: Iterable[Step], *, at_most: int) -> _Some:
    """Return what is to be sent next, and how far that goes."""
    some = _Some()
    for looked_at, step in enumerate(coming, 1):
        some.place = step.place
        if step.again is not None:
            some.again.append(step.again)
        if step.missed is not None:
            some.missed.append(step.missed)
        if len(some.again) + len(some.missed) >= at_most or looked_at >= _MOST_LOOKED_AT:
            return some
    some.is_the_end = True
    return some


def _send_missed(
    context: Context, tx: Tx, subscription: Subscription, missed: list[Missed], now: datetime
) -> None:
    """Make the deliveries of missed events, as their fan-out would have, due at once."""
    payloads = [
        Payload(
            id=PayloadId(context.dice.new_id(ids.PAYLOAD)),
            event_id=one.event.id,
            body=jsontext.encode(one.payload),
        )
        for one in missed
    ]
    tx.add_payloads(payloads)
    tx.add_deliveries(
        [
            Delivery(
                id=DeliveryId(context.dice.new_id(ids.DELIVERY)),
                account_id=subscription.account_id,
                event_id=one.event.id,
                subscription_id=subscription.id,
                trigger=one.trigger,
                payload_id=payload.id,
                created_at=now,
                next_attempt_at=now,
            )
            for one, payload in zip(missed, payloads, strict=True)
        ]
    )
