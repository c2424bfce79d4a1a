"""Subscriptions: standing requests for events, which events go to which target URL."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.core.ids import AccountId, SubscriptionId
from app.core.jsontypes import JsonObject


class SubscriptionState(StrEnum):
    """A subscription's life; see docs/state-machine.md."""

    ACTIVE = "active"
    PAUSED = "paused"  # by a person, until they resume it
    SUSPENDED = "suspended"  # by the service, after failures
    ENDED = "ended"  # unsubscribed, or its target said that it is gone


class StateReason(StrEnum):
    """Why a subscription is not active."""

    PAUSED_BY_PERSON = "paused_by_person"
    UNSUBSCRIBED = "unsubscribed"
    TARGET_GONE = "target_gone"
    TARGET_OFF = "target_off"
    KEEPS_FAILING = "keeps_failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Send the events of ``triggers`` that pass ``filter`` to ``target_url``.

    Attributes:
        resource_ids: The resources it is restricted to, as text; empty means all.
        filter: The declarative filter as normalised JSON (`app.core.filters`), or None.
        platform: The key of the platform that made it (`app.platforms`).
        secret: The signing secret, ``whsec_…``.
        version: Grows with every change; a settlement compares it with that of its claim.
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
