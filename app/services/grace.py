"""The end of a suspension that nothing else ends: an automation that stays switched off."""

from app.core.ids import SubscriptionId
from app.core.subscriptions import StateReason, SubscriptionState
from app.core.weighing import grace_is_over
from app.platforms import PLATFORMS
from app.services.context import Context
from app.services.deliver import profile_of

_AT_ONCE = 1_000
_WITH_GRACE = frozenset(one.key for one in PLATFORMS if one.profile.grace is not None)


def end_after_grace(context: Context) -> tuple[SubscriptionId, ...]:
    """End the subscriptions whose automation has been off for longer than its grace.

    A probe finds that out as well, but only where something waits to be a probe. Returns
    which were ended.
    """
    now = context.clock.now()
    with context.store.write() as tx:
        suspended = tx.subscriptions_off(_WITH_GRACE, limit=_AT_ONCE)
        healths = tx.healths({one.id for one in suspended})
        overdue = [
            one
            for one in suspended
            if one.id in healths and grace_is_over(healths[one.id], profile_of(one), now)
        ]
        return tuple(
            one.id
            for one in overdue
            if tx.move_subscription(
                one.id,
                state=SubscriptionState.ENDED,
                reason=StateReason.TARGET_GONE,
                version=one.version,
                now=now,
            )
        )
