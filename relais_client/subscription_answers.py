"""What Relais answers about subscriptions, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from relais_client.inputs import Batching
from relais_client.wire import Json, JsonObject, parse_optional_time, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A standing request: send the events of these triggers to this URL.

    Attributes:
        id: ``sub_…``.
        filters: The filter in its normal form; None where every event is sent.
        state: ``pending``, ``active``, ``paused`` or ``suspended``.
        state_reason: Why it is not active.
        confirm_until: Until when a pending one has to be confirmed.
        signature: ``hmac-sha256`` or ``ed25519``.
        public_key: ``whpk_…``, which verifies the second; None for the first.
        secret: ``whsec_…``, which verifies the first; only where it was just made, and
            printing the object hides it.
    """

    id: str
    name: str
    triggers: tuple[str, ...]
    target_url: str
    resource_ids: tuple[str, ...]
    filters: JsonObject | None
    platform: str
    state: str
    state_reason: str | None
    confirm_until: datetime | None
    signature: str
    public_key: str | None
    compatible_signatures: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    secret: str | None = field(default=None, repr=False)
    retry_policy: str | None = None
    per_second: int | None = None
    batching: Batching | None = None

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read a subscription."""
        return cls(
            id=document["id"],
            name=document["name"],
            triggers=tuple(document["triggers"]),
            target_url=document["target_url"],
            resource_ids=tuple(document["resource_ids"]),
            filters=document["filters"],
            platform=document["platform"],
            state=document["state"],
            state_reason=document["state_reason"],
            confirm_until=parse_optional_time(document["confirm_until"]),
            signature=document["signature"],
            public_key=document["public_key"],
            compatible_signatures=tuple(document["compatible_signatures"]),
            created_at=parse_time(document["created_at"]),
            updated_at=parse_time(document["updated_at"]),
            secret=document.get("secret"),
            retry_policy=document.get("retry_policy"),
            per_second=document.get("per_second"),
            batching=_batching(document.get("batching")),
        )


def _batching(document: Json) -> Batching | None:
    if document is None:
        return None
    return Batching(max_events=document["max_events"], max_age_seconds=document["max_age_seconds"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedSecret:
    """What verifies a subscription's signatures from now on: one of the two is there.

    ``old_secret_signs_until`` says until when the one before signs as well.
    """

    signature: str
    secret: str | None = field(repr=False)
    public_key: str | None
    old_secret_signs_until: datetime | None

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read the answer to a rotation."""
        return cls(
            signature=document["signature"],
            secret=document["secret"],
            public_key=document["public_key"],
            old_secret_signs_until=parse_optional_time(document["old_secret_signs_until"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentTest:
    """A sample that was sent to try the target.

    Attributes:
        outcome: ``succeeded``, ``http_status``, ``connect_timeout``, …
        request: Exactly what was sent: ``method``, ``url``, ``headers``, ``body``.
        response: What came back: ``headers``, ``body``, ``truncated``; None for nothing.
    """

    id: str
    outcome: str
    status_code: int | None
    duration_ms: int
    request: JsonObject
    response: JsonObject | None

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read the answer to a test send."""
        return cls(
            id=document["id"],
            outcome=document["outcome"],
            status_code=document["status_code"],
            duration_ms=document["duration_ms"],
            request=document["request"],
            response=document["response"],
        )
