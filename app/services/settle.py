"""Settle: what a batch of attempts came to, for their deliveries and subscriptions.

One transaction writes it all: where each delivery stands, how each subscription's target
is doing, and what follows from that: a pause, a suspension, an end.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from app.core.deliveries import (
    FINAL_STATES,
    OWN_FAULTS,
    Attempt,
    DeliveryState,
    Meaning,
    Verdict,
    settle,
)
from app.core.health import HEALTHY, Health
from app.core.ids import DeliveryId, SubscriptionId
from app.core.ports import Tx
from app.core.profiles import Signal
from app.core.records import ClaimedDelivery, Settlement
from app.core.subscriptions import Subscription, SubscriptionState
from app.core.weighing import Consequence, EndedExchange, weigh
from app.services import notices
from app.services.context import Context
from app.services.deliver import EndedAttempt, policy_of, profile_of
from app.services.farewells import say_farewell

_Written: TypeAlias = tuple[ClaimedDelivery, Settlement]

_ALL_IS_WELL = Consequence(health=HEALTHY)
_WITHOUT_SUCCESS = FINAL_STATES - {DeliveryState.SUCCEEDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was written: a settlement per attempt, whose leases were lost, what followed.

    Of a request that carried several deliveries, the settlement of its first one.
    """

    settlements: tuple[Settlement, ...]
    lost: frozenset[DeliveryId]
    consequences: Mapping[SubscriptionId, Consequence]
    suspended: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """A subscription as it was claimed, and what its attempts lead to."""

    subscription: Subscription
    before: Health
    consequence: Consequence
    at: datetime


def settle_attempts(context: Context, ended: Sequence[EndedAttempt]) -> Settled:
    """Write what attempts came to, and what follows.

    Raises:
        UnavailableError: Nothing was written; the same can be asked again.
    """
    with context.store.write() as tx:
        settled = settle_in(context, tx, ended)
    follow_up(context, settled)
    return settled


def settle_in(context: Context, tx: Tx, ended: Sequence[EndedAttempt]) -> Settled:
    """Write what attempts came to in the caller's transaction; then comes `follow_up`."""
    weighed = _weigh_all(tx, ended)
    settlements = tuple(_settlement(context, one, weighed) for one in ended)
    written = [
        each for one, first in zip(ended, settlements, strict=True) for each in _each(one, first)
    ]
    ending = {key for key in sorted(weighed) if _will_end(tx, weighed[key])}
    lost = frozenset(tx.settle([settlement for _, settlement in written]))
    # In the order of app/storage/locks.py.
    changed = [
        weighed[key]
        for key in sorted(weighed)
        if _apply(context, tx, weighed[key], ends=key in ending)
    ]
    _tell_of_losses(context, tx, written, lost)
    return Settled(
        settlements=settlements,
        lost=lost,
        consequences={key: one.consequence for key, one in weighed.items()},
        suspended=tuple(one.subscription for one in changed if one.consequence.suspend is not None),
    )


def follow_up(context: Context, settled: Settled) -> None:
    """Do what follows once the transaction has committed."""
    for subscription in settled.suspended:
        say_farewell(context, subscription)


def _weigh_all(tx: Tx, ended: Sequence[EndedAttempt]) -> dict[SubscriptionId, _Weighed]:
    by_subscription: dict[SubscriptionId, list[EndedAttempt]] = {}
    for one in ended:
        by_subscription.setdefault(one.prepared.claimed.subscription.id, []).append(one)
    healths = _healths(tx, by_subscription.keys(), ended)
    return {key: _weighed(of_it, healths.get(key)) for key, of_it in by_subscription.items()}


def _healths(
    tx: Tx, subscription_ids: Collection[SubscriptionId], ended: Sequence[EndedAttempt]
) -> Mapping[SubscriptionId, Health]:
    """Return how the subscriptions fare, for us alone where that may change.

    Two workers that weigh one subscription at the same time would each forget what the
    other has seen. Where all goes well and went well before, there is nothing to forget.
    """
    if all(one.outcome.is_success for one in ended):
        healths = tx.healths(subscription_ids)
        if not healths:
            return healths
    tx.hold_subscriptions(subscription_ids)
    return tx.healths(subscription_ids)


def _weighed(ended: Sequence[EndedAttempt], known: Health | None) -> _Weighed:
    """Return what the attempts of one subscription lead to; nearly always nothing."""
    subscription = ended[-1].prepared.claimed.subscription
    health = known or HEALTHY
    is_plain = known is None and subscription.state is SubscriptionState.ACTIVE
    if is_plain and all(one.outcome.is_success for one in ended):
        consequence = _ALL_IS_WELL
    else:
        consequence = weigh(
            health,
            [_exchange(one) for one in ended],
            state=subscription.state,
            profile=profile_of(subscription),
        )
    return _Weighed(
        subscription=subscription, before=health, consequence=consequence, at=ended[-1].ended_at
    )


def _exchange(ended: EndedAttempt) -> EndedExchange:
    profile = profile_of(ended.prepared.claimed.subscription)
    return EndedExchange(
        outcome=ended.outcome,
        at=ended.ended_at,
        signal=profile.read(ended.outcome),
        is_own_fault=ended.outcome.kind in OWN_FAULTS,
    )


def _settlement(
    context: Context, ended: EndedAttempt, weighed: Mapping[SubscriptionId, _Weighed]
) -> Settlement:
    claimed = ended.prepared.claimed
    return Settlement(
        lease=claimed.lease,
        verdict=_verdict(context, ended, weighed[claimed.subscription.id]),
        attempt=_attempt(ended),
        settled_at=ended.ended_at,
        subscription_version=claimed.subscription.version,
    )


def _each(ended: EndedAttempt, first: Settlement) -> Iterator[_Written]:
    """Yield the settlement of all that went in one request: one outcome, one verdict."""
    prepared = ended.prepared
    yield prepared.claimed, first
    for member, attempt_id in zip(prepared.claimed.others, prepared.other_attempt_ids, strict=True):
        attempt = replace(first.attempt, id=attempt_id, delivery_id=member.delivery.id)
        yield member, replace(first, lease=member.lease, attempt=attempt)


def _verdict(context: Context, ended: EndedAttempt, weighed: _Weighed) -> Verdict:
    claimed, outcome = ended.prepared.claimed, ended.outcome
    return settle(
        claimed.delivery,
        outcome,
        policy=policy_of(context, claimed.subscription),
        now=ended.ended_at,
        jitter=0.0 if outcome.is_success else context.dice.fraction(),
        meaning=Meaning.REFUSAL if outcome.is_success else _meaning(ended, weighed),
    )


def _meaning(ended: EndedAttempt, weighed: _Weighed) -> Meaning:
    profile = profile_of(weighed.subscription)
    signal = profile.read(ended.outcome)
    if signal is Signal.GONE:
        return Meaning.GONE
    if _is_off(ended, weighed, signal):
        return Meaning.OFF
    return Meaning.LATER if profile.asks_to_wait(ended.outcome) else Meaning.REFUSAL


def _is_off(ended: EndedAttempt, weighed: _Weighed, signal: Signal) -> bool:
    """Return whether the attempt only told that nobody listens now."""
    if ended.prepared.claimed.subscription.state is SubscriptionState.SUSPENDED:
        return True  # a probe
    return signal is Signal.OFF and weighed.consequence.health.is_held


def _attempt(ended: EndedAttempt) -> Attempt:
    prepared, outcome = ended.prepared, ended.outcome
    request = prepared.request
    return Attempt(
        id=prepared.attempt_id,
        delivery_id=prepared.claimed.delivery.id,
        number=prepared.claimed.delivery.attempt_count + 1,
        started_at=ended.ended_at - timedelta(milliseconds=outcome.duration_ms),
        method=request.method,
        target_url=request.target_url,
        request_headers=request.headers,
        outcome=outcome,
    )


def _apply(context: Context, tx: Tx, weighed: _Weighed, *, ends: bool) -> bool:
    """Bring the subscription to where its attempts led it; False where it is too late."""
    consequence, subscription_id = weighed.consequence, weighed.subscription.id
    if consequence.health != weighed.before:
        tx.save_health(subscription_id, consequence.health)
    if not (_moved(tx, weighed) or ends):
        return False
    if consequence.lane is not None and _may_send(consequence):
        tx.set_lane(subscription_id, consequence.lane, now=weighed.at)
    notices.tell_what_followed(context, tx, weighed.subscription, consequence)
    return True


def _will_end(tx: Tx, weighed: _Weighed) -> bool:
    """Return whether these attempts are the ones that end the subscription.

    Others of it that come later, with the same answer, find it ended.
    """
    if weighed.consequence.end is None:
        return False
    now = tx.subscription(weighed.subscription.id)
    return (
        now is not None
        and now.state is not SubscriptionState.ENDED
        and now.version == weighed.subscription.version
    )


def _tell_of_losses(
    context: Context,
    tx: Tx,
    written: Sequence[_Written],
    lost: Collection[DeliveryId],
) -> None:
    """Tell the vendor of messages that it left to us, and that nobody will get."""
    for claimed, settlement in written:
        if settlement.verdict.state not in _WITHOUT_SUCCESS:
            continue
        event_type = context.registry.event_type(claimed.event_type)
        if event_type is None or not event_type.diverts or settlement.lease.delivery_id in lost:
            continue
        delivery = tx.delivery(settlement.lease.delivery_id)
        if delivery is not None:
            notices.tell_of_lost_diversion(context, tx, delivery)


def _may_send(consequence: Consequence) -> bool:
    """Return whether anything may still leave the lane: all of it, or probes."""
    if consequence.end is not None:
        return False
    return consequence.suspend is None or consequence.health.is_held


def _moved(tx: Tx, weighed: _Weighed) -> bool:
    """Change the subscription's state where that follows; False where it is too late."""
    consequence = weighed.consequence
    if consequence.end is not None:
        state, reason = SubscriptionState.ENDED, consequence.end
    elif consequence.suspend is not None:
        state, reason = SubscriptionState.SUSPENDED, consequence.suspend
    elif consequence.reinstate:
        state, reason = SubscriptionState.ACTIVE, None
    else:
        return True
    return tx.move_subscription(
        weighed.subscription.id,
        state=state,
        reason=reason,
        version=weighed.subscription.version,
        now=weighed.at,
    )
