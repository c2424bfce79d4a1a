"""Weigh: what a subscription's attempts lead to. The failure policy as one pure function.

What an answer means is for the platform's profile to say (`app.core.profiles`); what
happens to the delivery itself is `app.core.deliveries.settle`. The numbers, and where
they come from, stand in docs/state-machine.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.deliveries import Outcome
from app.core.health import (
    HEALTHY,
    Health,
    Lane,
    after_failure,
    after_success,
    after_throttle,
    while_off,
)
from app.core.profiles import Profile, Signal
from app.core.subscriptions import StateReason, SubscriptionState

# Suspended for failing: no success for so long, and so many failures. Both are asked for, so
# that neither one bad night of a busy target nor one rare event suffices.
SUSPEND_AFTER = timedelta(days=5)
SUSPEND_FAILURES = 20
WARN_AFTER = (timedelta(hours=24), timedelta(hours=72))
# For how long "later" is no failure.
THROTTLED_AT_MOST = timedelta(hours=24)
# The pause where a target says "too fast" and no time: the longest window of the limits known.
THROTTLE_PAUSE = timedelta(seconds=10)


class NoticeKind(StrEnum):
    """What the publisher is told of by an operational event."""

    SUBSCRIPTION_WARNING = "subscription.warning"  # it keeps failing; suspension is near
    SUBSCRIPTION_SUSPENDED = "subscription.suspended"
    SUBSCRIPTION_REINSTATED = "subscription.reinstated"
    SUBSCRIPTION_GONE = "subscription.gone"
    DIVERTED_FAILED = "diverted.failed"  # a message that the product left to us was not delivered
    BACKLOG = "backlog"  # more waits than there should


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedExchange:
    """One attempt of a subscription that is over.

    Attributes:
        at: When it ended, by the clock that also says when deliveries are due.
        signal: What its platform's profile reads in the outcome.
        is_own_fault: It failed on our side, and says nothing about the target.
    """

    outcome: Outcome
    at: datetime
    signal: Signal = Signal.NONE
    is_own_fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What follows for a subscription from attempts that are over.

    Attributes:
        health: Its health from now on.
        lane: How its deliveries may go from now on; None: as before.
        suspend: Why it is to be suspended; None: it is not.
        end: Why it is to be ended; None: it is not.
        reinstate: It was suspended, and is to be active again.
        notices: What to tell the publisher, in this order.
    """

    health: Health
    lane: Lane | None = None
    suspend: StateReason | None = None
    end: StateReason | None = None
    reinstate: bool = False
    notices: tuple[NoticeKind, ...] = ()


@dataclass(frozen=True, slots=True)
class _Turn:
    """A change in the life of a subscription."""

    notice: NoticeKind
    state: SubscriptionState
    reason: StateReason | None = None


_WARNED = _Turn(NoticeKind.SUBSCRIPTION_WARNING, SubscriptionState.ACTIVE)
_KEEPS_FAILING = _Turn(
    NoticeKind.SUBSCRIPTION_SUSPENDED, SubscriptionState.SUSPENDED, StateReason.KEEPS_FAILING
)
_IS_OFF = _Turn(
    NoticeKind.SUBSCRIPTION_SUSPENDED, SubscriptionState.SUSPENDED, StateReason.TARGET_OFF
)
_IS_BACK = _Turn(NoticeKind.SUBSCRIPTION_REINSTATED, SubscriptionState.ACTIVE)
_IS_GONE = _Turn(NoticeKind.SUBSCRIPTION_GONE, SubscriptionState.ENDED, StateReason.TARGET_GONE)

_Step = tuple[Health, _Turn | None]
_ALL_IS_WELL = Consequence(health=HEALTHY)


def weigh(
    health: Health,
    ended: Sequence[EndedExchange],
    *,
    state: SubscriptionState,
    profile: Profile,
) -> Consequence:
    """Return what follows from a batch of one subscription's exchanges, in time order.

    To weigh a batch is to weigh its parts one after the other. ``health`` and ``state``
    are those before the batch; the lane that is stored is taken to be ``health.lane``.
    A subscription that a person resumes starts from `HEALTHY`.
    """
    if _is_plain_sailing(health, ended, state):
        return _ALL_IS_WELL
    now, state_now, reason = health, state, None
    notices: list[NoticeKind] = []
    for one in ended:
        if state_now is SubscriptionState.ENDED:
            break
        now, turn = _step(now, one, state_now, profile)
        if turn is not None:
            state_now, reason = turn.state, turn.reason
            notices.append(turn.notice)
    return Consequence(
        health=now,
        lane=None if now.lane == health.lane else now.lane,
        suspend=reason if _became(SubscriptionState.SUSPENDED, state, state_now) else None,
        end=reason if _became(SubscriptionState.ENDED, state, state_now) else None,
        reinstate=state is SubscriptionState.SUSPENDED and state_now is SubscriptionState.ACTIVE,
        notices=tuple(notices),
    )


def grace_is_over(health: Health, profile: Profile, now: datetime) -> bool:
    """Return whether an automation has been off for longer than its platform's grace.

    `weigh` asks this at every probe; the service should ask it for those that have
    nothing to be probed with.
    """
    if health.off_since is None or profile.grace is None:
        return False
    return now - health.off_since >= profile.grace


def _is_plain_sailing(
    health: Health, ended: Sequence[EndedExchange], state: SubscriptionState
) -> bool:
    """Return whether there is nothing to weigh; nearly every batch is like that."""
    if health != HEALTHY or state is SubscriptionState.SUSPENDED:
        return False
    return all(one.outcome.is_success for one in ended)


def _became(wanted: SubscriptionState, before: SubscriptionState, after: SubscriptionState) -> bool:
    return after is wanted and before is not wanted


def _step(health: Health, one: EndedExchange, state: SubscriptionState, profile: Profile) -> _Step:
    if one.is_own_fault:
        return health, None
    if one.outcome.is_success:
        is_back = state is SubscriptionState.SUSPENDED and not health.is_quiet(one.at)
        return after_success(health, one.at), _IS_BACK if is_back else None
    if one.signal is Signal.GONE:
        return health, _IS_GONE
    health = _with_pause(health, one, profile)
    is_off = state is SubscriptionState.SUSPENDED and health.off_since is not None
    if is_off or health.is_held:
        return _after_failed_probe(health, one, profile)
    if one.signal is Signal.OFF:
        return _after_off(health, one, state, profile)
    return _after_refusal(health, one, state, profile)


def _with_pause(health: Health, one: EndedExchange, profile: Profile) -> Health:
    if not profile.asks_to_wait(one.outcome):
        return health
    seconds = one.outcome.retry_after_seconds
    pause = THROTTLE_PAUSE if seconds is None else timedelta(seconds=seconds)
    return after_throttle(health, one.at, pause)


def _after_failed_probe(health: Health, one: EndedExchange, profile: Profile) -> _Step:
    """Only the automation's own word that it is still off can end its grace."""
    if health.is_quiet(one.at):
        return health, None
    if one.signal is Signal.OFF and grace_is_over(health, profile, one.at):
        return health, _IS_GONE
    return while_off(health, one.at, profile.probe_every), None


def _after_off(
    health: Health, one: EndedExchange, state: SubscriptionState, profile: Profile
) -> _Step:
    off_since = health.off_since or one.at
    if state is SubscriptionState.ACTIVE and one.at - off_since >= profile.off_after:
        return while_off(health, one.at, profile.probe_every), _IS_OFF
    return _after_refusal(replace(health, off_since=off_since), one, state, profile)


def _after_refusal(
    health: Health, one: EndedExchange, state: SubscriptionState, profile: Profile
) -> _Step:
    if profile.asks_to_wait(one.outcome) and health.throttled_since is not None:
        if one.at - health.throttled_since < THROTTLED_AT_MOST:
            return health, None
        health = replace(health, failing_since=health.failing_since or health.throttled_since)
    return _judged(after_failure(health, one.at), one.at, state)


def _judged(health: Health, at: datetime, state: SubscriptionState) -> _Step:
    if state is not SubscriptionState.ACTIVE or health.failing_since is None:
        return health, None
    failing_for = at - health.failing_since
    if failing_for >= SUSPEND_AFTER and health.failure_count >= SUSPEND_FAILURES:
        # Nothing probes it: a sign that it was off, some time ago, means nothing any more.
        return replace(health, off_since=None), _KEEPS_FAILING
    warnings = sum(failing_for >= limit for limit in WARN_AFTER)
    if warnings > health.warnings:
        return replace(health, warnings=warnings), _WARNED
    return health, None
