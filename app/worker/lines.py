"""One canonical log line an attempt, with every id and the decision folded in."""

import logging
from collections.abc import Sequence

from app.core.clock import to_text
from app.core.deliveries import Outcome, OutcomeKind, Verdict
from app.core.ids import DeliveryId
from app.core.target_urls import host_of
from app.services.deliver import PreparedAttempt

log = logging.getLogger("relais.delivery")


def log_attempt(worker: str, prepared: PreparedAttempt, outcome: Outcome, verdict: Verdict) -> None:
    """Write the line of one settled attempt. The target's host is named, never its URL."""
    delivery = prepared.claimed.delivery
    next_at = verdict.next_attempt_at
    level = logging.ERROR if outcome.kind is OutcomeKind.INTERNAL else logging.INFO
    log.log(
        level,
        "delivery.attempted",
        extra={
            "account": delivery.account_id,
            "event_id": delivery.event_id,
            "subscription": delivery.subscription_id,
            "delivery": delivery.id,
            "attempt": prepared.attempt_id,
            "number": delivery.attempt_count + 1,
            "trigger": delivery.trigger,
            "host": host_of(prepared.request.target_url),
            "outcome": outcome.kind.value,
            "status_code": outcome.status_code,
            "duration_ms": outcome.duration_ms,
            "state": verdict.state.value,
            "next_attempt_at": None if next_at is None else to_text(next_at),
            "worker": worker,
            **({"detail": outcome.detail} if outcome.detail else {}),
        },
    )


def log_lost_leases(worker: str, lost: Sequence[DeliveryId]) -> None:
    """Say which deliveries another worker had taken over meanwhile."""
    for delivery_id in lost:
        log.warning("delivery.lease_lost", extra={"delivery": delivery_id, "worker": worker})
