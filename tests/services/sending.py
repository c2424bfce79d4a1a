"""Attempt what is due without a network: every request gets the same answer."""

from app.core.deliveries import Outcome, OutcomeKind
from app.services import deliver
from app.services.settle import settle_attempts


def send_all(context, status_code=200, limit=100):
    """Attempt every due delivery; return the requests."""
    claimed = deliver.claim(context, worker="w1", limit=limit)
    kind = OutcomeKind.SUCCEEDED if status_code < 300 else OutcomeKind.HTTP_STATUS
    outcome = Outcome(kind=kind, duration_ms=12, status_code=status_code)
    prepared = [deliver.prepare(context, one, user_agent="Relais/test") for one in claimed]
    now = context.clock.now()
    ended = [deliver.EndedAttempt(prepared=one, outcome=outcome, ended_at=now) for one in prepared]
    settle_attempts(context, ended)
    return [one.request for one in prepared]
