"""Subscriptions: standing requests for events, which events go to which target URL."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.core.batching import Batching
from app.core.compatible_signatures import CompatibleSignature
from app.core.ids import AccountId, SubscriptionId
from app.core.jsontypes import JsonObject
from app.core.signing_secrets import OldSecret

MAX_PER_SECOND = 1_000


class SubscriptionState(StrEnum):
    """A subscription's life; see docs/state-machine.md."""

    PENDING = "pending"  # waits for its target to confirm it; fires nothing
    ACTIVE = "active"
    PAUSED = "paused"  # by a person, until they resume it
    SUSPENDED = "suspended"  # by the service, after failures
    ENDED = "ended"  # unsubscribed, or its target said that it is gone


class StateReason(StrEnum):
    """Why a subscription is not active."""

    AWAITS_CONFIRMATION = "awaits_confirmation"
    NOT_CONFIRMED = "not_confirmed"
    PAUSED_BY_PERSON = "paused_by_person"
    UNSUBSCRIBED = "unsubscribed"
    TARGET_GONE = "target_gone"
    TARGET_OFF = "target_off"
    KEEPS_FAILING = "keeps_failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What the target has to repeat, as a digest, to confirm a subscription; and until when."""

    digest: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Send the events of ``triggers`` that pass ``filter`` to ``target_url``.

    Attributes:
        resource_ids: The resources it is restricted to, as text; empty means all.
        filter: The declarative filter as normalised JSON (`app.core.filters`), or None.
        platform: The key of the platform that made it (`app.platforms`).
        secret: The signing secret, ``whsec_…``, or the private key, ``whsk_…``.
        old_secrets: Those it replaced that may still sign, newest first.
        compatible_signatures: Headers of other schemes that its requests carry as well.
        confirmation: What a pending one waits for.
        confirmed_at: When its target confirmed it; None where nobody asked it to.
        version: Grows with every change; a settlement compares it with that of its claim.
        retry_policy: The name of one of `app.core.retries.POLICIES`; None: the deployment's.
        per_second: How many deliveries a second it is sent at most; None: its platform's.
        batching: How its events are sent together; None: each by itself.
    """

    id: SubscriptionId
    account_id: AccountId
    triggers: tuple[str, ...]
    target_url: str
    secret: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    name: str = ""
    resource_ids: tuple[str, ...] = ()
    filter: JsonObject | None = None
    platform: str = "generic"
    state: SubscriptionState = SubscriptionState.ACTIVE
    state_reason: StateReason | None = None
    version: int = 1
    old_secrets: tuple[OldSecret, ...] = ()
    compatible_signatures: tuple[CompatibleSignature, ...] = ()
    confirmation: Confirmation | None = None
    confirmed_at: datetime | None = None
    retry_policy: str | None = None
    per_second: int | None = None
    batching: Batching | None = None
