"""Deliver: claim (commit) → send → settle (commit), in batches, in three plain steps.

The sending itself is the worker's loop over a `Sender`; no transaction is open while
anything is on the network. What is decided here is what to send; what an outcome means
is the affair of `app.services.settle`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core import ids, signing
from app.core.deliveries import Outcome
from app.core.ids import AttemptId
from app.core.ports import Gate, Tx
from app.core.profiles import Profile
from app.core.records import ClaimedDelivery
from app.core.retries import POLICIES, RetryPolicy
from app.core.sending import HttpRequest
from app.core.subscriptions import Subscription
from app.platforms import GENERIC, find_platform
from app.services.context import Context

# To connect, a target has at most this, and no more than a third of the whole.
CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedAttempt:
    """A claimed delivery and the request that attempts it.

    Where it carries others as well, each of them has an attempt of its own, in their order.
    """

    claimed: ClaimedDelivery
    request: HttpRequest
    attempt_id: AttemptId
    other_attempt_ids: tuple[AttemptId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAttempt:
    """An attempt that is over, and what it came to."""

    prepared: PreparedAttempt
    outcome: Outcome
    ended_at: datetime


def claim(
    context: Context, *, worker: str, limit: int, gate: Gate | None = None
) -> tuple[ClaimedDelivery, ...]:
    """Take up to ``limit`` due deliveries under a lease, fairly, and commit."""
    with context.store.write() as tx:
        return claim_in(context, tx, worker=worker, limit=limit, gate=gate)


def claim_in(
    context: Context, tx: Tx, *, worker: str, limit: int, gate: Gate | None = None
) -> tuple[ClaimedDelivery, ...]:
    """Take deliveries in the caller's transaction."""
    now = context.clock.now()
    return tx.claim_due(
        worker=worker, now=now, lease_until=now + context.rules.lease, limit=limit, gate=gate
    )


def prepare(context: Context, claimed: ClaimedDelivery, *, user_agent: str) -> PreparedAttempt:
    """Return the signed request for a claimed delivery.

    ``webhook-id`` is the delivery's or the batch's id: the same on every attempt, while the
    timestamp, and so the signature, is the attempt's own (Standard Webhooks 1.0).
    """
    now = context.clock.now()
    signed = signing.request_headers(
        claimed.subscription, message_id=claimed.message_id, body=claimed.body, now=now
    )
    headers = (
        ("Content-Type", "application/json"),
        ("User-Agent", user_agent),
        *signed,
    )
    total_s = context.rules.delivery_timeout.total_seconds()
    attempt_id = AttemptId(context.dice.new_id(ids.ATTEMPT))
    request = HttpRequest(
        token=attempt_id,
        method="POST",
        target_url=claimed.subscription.target_url,
        headers=headers,
        body=claimed.body,
        total_timeout_s=total_s,
        connect_timeout_s=min(CONNECT_TIMEOUT_S, total_s / 3),
    )
    return PreparedAttempt(
        claimed=claimed,
        request=request,
        attempt_id=attempt_id,
        other_attempt_ids=tuple(
            [AttemptId(context.dice.new_id(ids.ATTEMPT)) for _other in claimed.others]
        ),
    )


def give_back(context: Context, claimed: Sequence[ClaimedDelivery]) -> None:
    """Make claimed deliveries that were not sent due again at once."""
    if claimed:
        with context.store.write() as tx:
            tx.release([member.lease for one in claimed for member in one.members])


def shorten_leases(context: Context) -> int:
    """End the leases that a clock which was set back made too long; return how many."""
    with context.store.write() as tx:
        return tx.shorten_leases(now=context.clock.now(), longest=context.rules.lease)


def profile_of(subscription: Subscription) -> Profile:
    """Return how the subscription's platform behaves as a subscriber."""
    return (find_platform(subscription.platform) or GENERIC).profile


def pace_of(subscription: Subscription) -> float | None:
    """Return how many requests a second the subscription is sent; None: no limit.

    Its own pace never lifts what its platform asks for.
    """
    paces = (subscription.per_second, profile_of(subscription).per_second)
    return min((pace for pace in paces if pace is not None), default=None)


def policy_of(context: Context, subscription: Subscription) -> RetryPolicy:
    """Return when what fails is tried again; an unknown name is the deployment's own."""
    policy = POLICIES.get(subscription.retry_policy or "")
    return policy or context.rules.retry_policy
