"""Deliveries: one event on its way to one subscription, and how each attempt ends.

`settle` is the state machine of docs/state-machine.md as one pure function.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.core.ids import (
    BATCH,
    AccountId,
    AttemptId,
    BatchId,
    DeliveryId,
    EventId,
    PayloadId,
    SubscriptionId,
)
from app.core.retries import RetryPolicy
from app.core.subscriptions import StateReason


class DeliveryState(StrEnum):
    """Where a delivery stands; each story ends in one of the last three."""

    PENDING = "pending"  # due at next_attempt_at
    SENDING = "sending"  # a worker holds the lease
    SUCCEEDED = "succeeded"  # the target answered 2xx
    FAILED = "failed"  # every attempt was used up
    CANCELLED = "cancelled"  # its subscription ended, or a person cancelled it


FINAL_STATES = frozenset({DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.CANCELLED})


class OutcomeKind(StrEnum):
    """What one HTTP exchange came to. Stable codes; people see them in the log."""

    SUCCEEDED = "succeeded"
    HTTP_STATUS = "http_status"
    BLOCKED_ADDRESS = "blocked_address"
    DNS_NOT_FOUND = "dns_not_found"
    DNS_FAILED = "dns_failed"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    RESET = "reset"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_HOSTNAME = "tls_hostname"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_PROTOCOL = "tls_protocol"  # no version of TLS that both sides accept
    TLS_CLIENT_CERT_REQUIRED = "tls_client_cert_required"
    NOT_TLS = "not_tls"
    TLS_FAILED = "tls_failed"
    READ_TIMEOUT = "read_timeout"
    BAD_RESPONSE = "bad_response"
    INTERNAL = "internal"  # ours; uses up none of the subscriber's attempts


# A delivery whose workers died this often, each time with it in their hands, is set aside:
# it may be what kills them.
MOST_LOSSES = 5

# Faults of our side (this process, the machine's name servers) use up nobody's attempts.
OWN_FAULTS = frozenset({OutcomeKind.INTERNAL, OutcomeKind.DNS_FAILED})


class Outcome(NamedTuple):
    """The result of one attempt, as the sender saw it.

    Attributes:
        duration_ms: From the start of the attempt to its end.
        response_body: At most the first 16 kB, undecoded.
        truncated: The answer went on after what was kept.
        retry_after_seconds: What the target asked for, already capped to a day.
        detail: For operators only; never shown to subscribers.
    """

    kind: OutcomeKind
    duration_ms: int
    status_code: int | None = None
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: bytes = b""
    truncated: bool = False
    retry_after_seconds: int | None = None
    detail: str = ""

    @property
    def is_success(self) -> bool:
        """Return whether the delivery is done."""
        return self.kind is OutcomeKind.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one subscription.

    ``trigger`` is the one of the subscription's triggers that fired.
    ``attempt_count`` counts attempts that were used up.
    """

    id: DeliveryId
    account_id: AccountId
    event_id: EventId
    subscription_id: SubscriptionId
    trigger: str
    payload_id: PayloadId
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    next_attempt_at: datetime | None = None
    attempt_count: int = 0
    settled_at: datetime | None = None
    outcome: OutcomeKind | None = None
    status_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One HTTP exchange, kept for people to read: exactly what was sent and answered.

    Headers hold names with masked values where a value is a secret.
    """

    id: AttemptId
    delivery_id: DeliveryId
    number: int
    started_at: datetime
    method: str
    target_url: str
    request_headers: tuple[tuple[str, str], ...]
    outcome: Outcome

    @property
    def batch_id(self) -> BatchId | None:
        """Return the batch that was sent, where it was one: its ``webhook-id`` says so."""
        for name, value in self.request_headers:
            if name.lower() == "webhook-id" and value.startswith(f"{BATCH}_"):
                return BatchId(value)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A worker's right to send one delivery until ``expires_at``.

    ``fence`` grows with every claim of the delivery; a settlement that carries an old
    fence is refused, so a worker that lost its lease cannot overwrite its successor.
    """

    delivery_id: DeliveryId
    worker: str
    fence: int
    expires_at: datetime


class Meaning(StrEnum):
    """What a failed attempt says about its target, by the target's platform."""

    REFUSAL = "refusal"  # it did not work this time
    LATER = "later"  # too much at once: no fault of this delivery
    OFF = "off"  # nobody listens now: everything is kept until somebody does
    GONE = "gone"  # nobody will listen again


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Where an attempt's outcome takes its delivery, and its subscription.

    ``ends_subscription`` is set where the target said that nobody listens any more.
    """

    state: DeliveryState
    attempt_count: int
    next_attempt_at: datetime | None = None
    ends_subscription: StateReason | None = None


def settle(
    delivery: Delivery,
    outcome: Outcome,
    *,
    policy: RetryPolicy,
    now: datetime,
    jitter: float,
    meaning: Meaning = Meaning.REFUSAL,
) -> Verdict:
    """Return what follows from an attempt that ended with ``outcome`` at ``now``.

    ``delivery`` is as it was claimed; ``jitter`` is a random number in [0, 1);
    ``meaning`` is what a failure says about its target.
    """
    used = delivery.attempt_count + 1
    if outcome.is_success:
        return Verdict(state=DeliveryState.SUCCEEDED, attempt_count=used)
    kept_until = _kept_until(delivery, outcome, policy=policy, now=now, meaning=meaning)
    if kept_until is not None:
        # It does not count as an attempt.
        return Verdict(
            state=DeliveryState.PENDING,
            attempt_count=delivery.attempt_count,
            next_attempt_at=kept_until,
        )
    if meaning is Meaning.GONE:
        return Verdict(
            state=DeliveryState.CANCELLED,
            attempt_count=used,
            ends_subscription=StateReason.TARGET_GONE,
        )
    next_at = policy.next_attempt_at(
        used, now=now, jitter=jitter, retry_after_seconds=outcome.retry_after_seconds
    )
    if next_at is None:
        return Verdict(state=DeliveryState.FAILED, attempt_count=used)
    return Verdict(state=DeliveryState.PENDING, attempt_count=used, next_attempt_at=next_at)


def _kept_until(
    delivery: Delivery, outcome: Outcome, *, policy: RetryPolicy, now: datetime, meaning: Meaning
) -> datetime | None:
    """Return when to try again what failed through no fault of its own; None: it counts.

    While its target is off it is kept for as long as that takes, else for the policy's
    patience.
    """
    if meaning is Meaning.OFF:
        return now
    if now >= delivery.created_at + policy.patience:
        return None
    if outcome.kind in OWN_FAULTS:
        return now + policy.own_fault_delay
    if meaning is Meaning.LATER:
        return now + policy.pause(outcome.retry_after_seconds)
    return None
