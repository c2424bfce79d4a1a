"""Subscriptions: asked for, answered, changed, and tried before they exist."""

from typing import Any, ClassVar

from marshmallow import pre_load

from app.api.dialects import in_our_words
from app.api.schemas.conditions import SubscriptionHealthSchema
from app.api.schemas.fields import (
    Flag,
    IdText,
    JsonObject,
    ListOf,
    Member,
    Moment,
    Part,
    Text,
    Whole,
)
from app.api.schemas.manner import AskedMannerSchema, MannerSchema
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.wire import WireSchema
from app.core.compatible_signatures import CompatibleSignature
from app.core.jsontypes import Json
from app.core.signing_secrets import SignatureScheme
from app.core.subscriptions import StateReason, SubscriptionState
from app.platforms import PLATFORMS

_LIVE = [state for state in SubscriptionState if state is not SubscriptionState.ENDED]
_FILTERS_HELP = (
    'Which events: `{"event": ["destroy"], "role": 3}` (field → value or values, all of '
    'which must hold), or `{"all": […]}`, `{"any": […]}`, `{"not": …}` and '
    '`{"field": …, "op": …, "value": …}`. Null or left out: every event.'
)


class _WishSchema(WireSchema):
    """What to be sent. Aliases of other hook APIs are understood."""

    trigger = Text(
        max_length=200, metadata={"description": "One trigger (aliases: `event`, `topic`)."}
    )
    triggers = ListOf(
        Text(max_length=200),
        low=1,
        high=20,
        metadata={"description": "Several triggers, instead of `trigger`."},
    )
    resource_ids = ListOf(
        IdText(max_length=200),
        high=100,
        allow_none=True,
        metadata={"description": "Only about these resources (one: `resource_id`). Empty: all."},
    )
    filters = JsonObject(allow_none=True, metadata={"description": _FILTERS_HELP})

    @pre_load
    def _translate(self, data: Json, **_kwargs: Any) -> Json:
        return in_our_words(data)


_COMPATIBLE = {
    "description": "Signature headers of other schemes that requests carry beside the standard "
    "ones: HMAC-SHA256 over the body, the key is the text of the secret."
}
_PLATFORM = {
    "description": "Who subscribes; found out from the URL where left out or null. One of "
    + ", ".join(f"`{one.key}`" for one in PLATFORMS)
    + "."
}
_CHANGED_PLATFORM = {
    "description": "Who subscribes; null: found out from the URL. Left out, it follows the URL, "
    "unless it was given and the URL tells none."
}
_TARGET_URL = {
    "description": "Where to POST the events (aliases: `url`, `targetUrl`, `hookUrl`, `hook_url`)."
}


class SubscriptionChangeSchema(AskedMannerSchema, _WishSchema):
    """What to change about a subscription; what is left out stays."""

    target_url = Text(min_length=1, max_length=4_000, metadata=_TARGET_URL)
    name = Text(max_length=200, metadata={"description": "For people."})
    platform = Text(allow_none=True, max_length=100, metadata=_CHANGED_PLATFORM)
    compatible_signatures = ListOf(Member(CompatibleSignature), high=3, metadata=_COMPATIBLE)
    example: ClassVar = {"name": "Deleted bookings", "filters": {"event": ["destroy"]}}


class NewSubscriptionSchema(AskedMannerSchema, _WishSchema):
    """A subscription to be made."""

    target_url = Text(required=True, max_length=4_000, metadata=_TARGET_URL)
    name = Text(load_default="", max_length=200, metadata={"description": "For people."})
    platform = Text(load_default=None, allow_none=True, max_length=100, metadata=_PLATFORM)
    signature = Member(
        SignatureScheme,
        load_default=SignatureScheme.HMAC_SHA256,
        metadata={
            "description": "With a secret that you get (Standard Webhooks `v1`), or with a "
            "private key of which you get the public half (`v1a`)."
        },
    )
    compatible_signatures = ListOf(
        Member(CompatibleSignature), high=3, load_default=list, metadata=_COMPATIBLE
    )
    handshake = Flag(
        load_default=False,
        metadata={"description": "The target has to confirm, by repeating an `X-Hook-Secret`."},
    )
    example: ClassVar = {
        "trigger": "changed_appointment",
        "target_url": "https://hooks.zapier.com/hooks/standard/1/2/",
        "filters": {"event": ["destroy"]},
    }


class PreviewSchema(_WishSchema):
    """A subscription to be tried on the latest events."""

    target_url = Text(
        load_default=None,
        allow_none=True,
        max_length=4_000,
        metadata={"description": "Not called."},
    )
    name = Text(load_default="", max_length=200, metadata={"description": "Makes no difference."})
    platform = Text(load_default=None, allow_none=True, max_length=100)
    limit = Whole(
        low=1,
        high=200,
        load_default=25,
        metadata={"description": "How many of the latest events to try."},
    )
    example: ClassVar = {
        "trigger": "changed_appointment",
        "filters": {"event": ["destroy"]},
        "limit": 10,
    }


class LinksSchema(WireSchema):
    """Where to read it again."""

    self_ = Text(required=True, data_key="self", attribute="self")


class SubscriptionSchema(MannerSchema):
    """A standing request: send the events of these triggers to this URL."""

    id = Text(required=True)
    name = Text(required=True)
    triggers = ListOf(Text(), required=True)
    trigger = Text(required=True, metadata={"description": "The first of `triggers`."})
    target_url = Text(required=True)
    resource_ids = ListOf(Text(), required=True, metadata={"description": "Empty: all."})
    filters = JsonObject(
        required=True,
        allow_none=True,
        metadata={"description": "The filter in its normal form; null: every event."},
    )
    filters_text = Text(
        required=True, allow_none=True, metadata={"description": "The filter in words."}
    )
    platform = Text(required=True)
    state = Member(list(_LIVE), required=True)
    state_reason = Member(StateReason, required=True, allow_none=True)
    confirm_until = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "Until when a pending one has to be confirmed."},
    )
    signature = Member(SignatureScheme, required=True)
    public_key = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Verifies `ed25519` signatures; null for the other scheme."},
    )
    compatible_signatures = ListOf(Member(CompatibleSignature), required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    delivery_count = Whole(required=True)
    last_delivery_at = Moment(required=True, allow_none=True)
    health = Part(SubscriptionHealthSchema, required=True)
    links = Part(LinksSchema, required=True)
    example: ClassVar = {
        "id": "sub_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "name": "",
        "triggers": ["changed_appointment"],
        "trigger": "changed_appointment",
        "target_url": "https://hooks.zapier.com/hooks/standard/1/2/",
        "resource_ids": [],
        "filters": {"field": "event", "op": "in", "value": ["destroy"]},
        "filters_text": "Event is Deleted",
        "platform": "zapier",
        "state": "active",
        "state_reason": None,
        "confirm_until": None,
        "signature": "hmac-sha256",
        "public_key": None,
        "compatible_signatures": [],
        **MannerSchema.example,
        "created_at": "2026-03-09T13:00:00.000Z",
        "updated_at": "2026-03-09T13:00:00.000Z",
        "delivery_count": 0,
        "last_delivery_at": None,
        "health": SubscriptionHealthSchema.example,
        "links": {"self": "/api/v1/subscriptions/sub_06d3k7q2v8r4x9m1z5c0t7w2ha"},
    }


class ChangedSubscriptionSchema(SubscriptionSchema):
    """A subscription that was just changed."""

    secret = Text(
        metadata={"description": "Only where the target moved to another host; shown this once."},
    )


class CreatedSubscriptionSchema(SubscriptionSchema):
    """A subscription that was just made."""

    secret = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "Verifies signatures (Standard Webhooks); shown this once. Null "
            "where `public_key` does."
        },
    )
    example: ClassVar = {**SubscriptionSchema.example, "secret": "whsec_…"}


class SubscriptionsQuerySchema(PageQuerySchema):
    """Which subscriptions."""

    target_url = Text(
        load_default=None, max_length=4_000, metadata={"description": "Only for this URL."}
    )
    trigger = Text(
        load_default=None, max_length=200, metadata={"description": "Only on this trigger."}
    )
    state = Member(list(_LIVE), load_default=None, metadata={"description": "Only in this state."})


class MissSchema(WireSchema):
    """An event that would not have fired."""

    event_id = Text(required=True)
    reason = Text(required=True, metadata={"description": "Stable: `filter_false`, …"})
    text = Text(required=True, metadata={"description": "The reason in words."})


class DryRunSchema(WireSchema):
    """What a subscription like this would have been sent of the latest events."""

    checked = Whole(required=True, metadata={"description": "How many events were tried."})
    matched = Whole(required=True, metadata={"description": "How many would have fired."})
    samples = ListOf(JsonObject(), required=True, metadata={"description": "Their payloads."})
    misses = ListOf(Part(MissSchema), required=True)
    example: ClassVar = {
        "checked": 2,
        "matched": 1,
        "samples": [{"id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha", "event": "destroy"}],
        "misses": [
            {
                "event_id": "evt_06d3k7q2v8r4x9m1z5c0t7w2hb",
                "reason": "filter_false",
                "text": "The filter wants: Event is Deleted, but Event was Created.",
            }
        ],
    }
