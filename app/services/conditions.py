"""What people are shown of subscriptions: what they did, and how they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.ids import SubscriptionId
from app.core.records import Standing, SubscriptionActivity
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a subscription did so far, and how it is now.

    Attributes:
        failing_since: The first failure since the last success.
        failures: The failed attempts since then.
        suspended_since: Since when the service has it suspended. A change that somebody
            made to it meanwhile begins this anew.
        next_try_at: When something is sent again, where everything is held back: its
            target asked for a pause, its breaker is open, or it is probed. None where
            each delivery goes at its own time, or none goes until somebody acts.
        waiting: Its deliveries that are not settled, `MOST_WAITING` at most.
    """

    activity: SubscriptionActivity
    failing_since: datetime | None
    failures: int
    suspended_since: datetime | None
    next_try_at: datetime | None
    waiting: int


def conditions_of(
    context: Context, subscriptions: Sequence[Subscription]
) -> Mapping[SubscriptionId, Condition]:
    """Return the condition of each of these subscriptions."""
    asked = [one.id for one in subscriptions]
    with context.store.read() as tx:
        activity, standings = tx.activity(asked), tx.standings(asked)
    now = context.clock.now()
    return {
        one.id: _condition(
            one,
            activity.get(one.id, SubscriptionActivity()),
            standings.get(one.id, Standing()),
            now,
        )
        for one in subscriptions
    }


def _condition(
    subscription: Subscription, activity: SubscriptionActivity, standing: Standing, now: datetime
) -> Condition:
    is_suspended = subscription.state is SubscriptionState.SUSPENDED
    held_until = standing.held_until
    return Condition(
        activity=activity,
        failing_since=standing.health.failing_since,
        failures=standing.health.failure_count,
        suspended_since=subscription.updated_at if is_suspended else None,
        next_try_at=held_until if held_until is not None and held_until > now else None,
        waiting=standing.waiting,
    )
