"""One canonical log line an attempt, with every id and the decision folded in."""

import logging
from collections.abc import Collection
from datetime import timedelta

from app.core.clock import to_text
from app.core.deliveries import Outcome, OutcomeKind, Verdict
from app.core.ids import DeliveryId
from app.core.jsontypes import Json
from app.core.records import ClaimedDelivery
from app.core.target_urls import host_of
from app.services.deliver import EndedAttempt

log = logging.getLogger("relais.delivery")


def log_attempt(
    worker: str, ended: EndedAttempt, verdict: Verdict, *, lost: Collection[DeliveryId]
) -> None:
    """Write the line of one ended attempt. The target's host is named, never its URL.

    ``lost``: deliveries that another worker had taken over meanwhile; what was decided
    here about them does not count.
    """
    prepared, outcome = ended.prepared, ended.outcome
    delivery = prepared.claimed.delivery
    is_lost = delivery.id in lost
    level = _level(outcome, is_lost=is_lost)
    if not log.isEnabledFor(level):  # to put the line together costs more than to write it
        return
    next_at = None if is_lost else verdict.next_attempt_at
    log.log(
        level,
        "delivery.lease_lost" if is_lost else "delivery.attempted",
        extra={
            "account": delivery.account_id,
            "event_id": delivery.event_id,
            "subscription": delivery.subscription_id,
            "delivery": delivery.id,
            "attempt": prepared.attempt_id,
            "number": delivery.attempt_count + 1,
            "event_type": prepared.claimed.event_type,
            "trigger": delivery.trigger,
            "platform": prepared.claimed.subscription.platform,
            "host": host_of(prepared.request.target_url),
            "outcome": outcome.kind.value,
            "status_code": outcome.status_code,
            "waited_ms": _waited_ms(ended),
            "duration_ms": outcome.duration_ms,
            "state": None if is_lost else verdict.state.value,
            "next_attempt_at": None if next_at is None else to_text(next_at),
            "worker": worker,
            **_batch(prepared.claimed),
            **({"detail": outcome.detail} if outcome.detail else {}),
        },
    )


def _waited_ms(ended: EndedAttempt) -> int:
    """Return how long the delivery had been due when the attempt began."""
    delivery = ended.prepared.claimed.delivery
    due_at = delivery.next_attempt_at or delivery.created_at
    since_due_ms = (ended.ended_at - due_at) / timedelta(milliseconds=1)
    return max(0, round(since_due_ms) - ended.outcome.duration_ms)


def _batch(claimed: ClaimedDelivery) -> dict[str, Json]:
    """Return what is told of a request that carried several deliveries."""
    if claimed.batch_id is None:
        return {}
    members = [one.delivery.id for one in claimed.members]
    return {"batch": claimed.batch_id, "deliveries": members}


def _level(outcome: Outcome, *, is_lost: bool) -> int:
    if outcome.kind is OutcomeKind.INTERNAL:
        return logging.ERROR
    return logging.WARNING if is_lost else logging.INFO
