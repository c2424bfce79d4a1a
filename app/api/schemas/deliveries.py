"""Deliveries, and exactly what was sent and answered."""

from typing import ClassVar

from app.api.schemas.fields import Flag, JsonObject, ListOf, Member, Moment, Part, Text, Whole
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.wire import WireSchema
from app.core.deliveries import DeliveryState, OutcomeKind


class DeliverySchema(WireSchema):
    """One event on its way to one subscription."""

    id = Text(
        required=True,
        metadata={"description": "Sent as `webhook-id` on every attempt, but for batches."},
    )
    event_id = Text(required=True)
    subscription_id = Text(required=True)
    trigger = Text(required=True)
    event_type = Text(required=True)
    state = Member(DeliveryState, required=True)
    attempt_count = Whole(required=True)
    next_attempt_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    settled_at = Moment(required=True, allow_none=True)
    outcome = Member(
        OutcomeKind,
        required=True,
        allow_none=True,
        metadata={"description": "What the latest attempt came to."},
    )
    status_code = Whole(required=True, allow_none=True)
    example: ClassVar = {
        "id": "dlv_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "event_id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "subscription_id": "sub_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "trigger": "changed_appointment",
        "event_type": "appointment.create",
        "state": "succeeded",
        "attempt_count": 1,
        "next_attempt_at": None,
        "created_at": "2026-03-09T13:00:00.000Z",
        "settled_at": "2026-03-09T13:00:00.125Z",
        "outcome": "succeeded",
        "status_code": 200,
    }


class HeaderSchema(WireSchema):
    """One header."""

    name = Text(required=True)
    value = Text(required=True)


class SentSchema(WireSchema):
    """What was sent."""

    method = Text(required=True)
    url = Text(required=True)
    headers = ListOf(Part(HeaderSchema), required=True)
    body = Text(required=True)


class AnsweredSchema(WireSchema):
    """What came back."""

    headers = ListOf(Part(HeaderSchema), required=True)
    body = Text(required=True, metadata={"description": "At most its first 16 kB."})
    truncated = Flag(required=True)


class AttemptSchema(WireSchema):
    """One HTTP exchange."""

    id = Text(required=True)
    number = Whole(required=True)
    batch_id = Text(
        required=True,
        allow_none=True,
        metadata={
            "description": "The batch that the request carried, its `webhook-id`; null where it "
            "carried this delivery only."
        },
    )
    started_at = Moment(required=True)
    duration_ms = Whole(required=True)
    outcome = Member(OutcomeKind, required=True)
    status_code = Whole(required=True, allow_none=True)
    request = Part(SentSchema, required=True)
    response = Part(
        AnsweredSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where nothing came back."},
    )


class DeliveryStorySchema(DeliverySchema):
    """A delivery with everything that there is to read about it."""

    payload = JsonObject(required=True, metadata={"description": "The body that is sent."})
    attempts = ListOf(Part(AttemptSchema), required=True)
    example: ClassVar = {
        **DeliverySchema.example,
        "payload": {"id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha", "event": "create"},
        "attempts": [
            {
                "id": "att_06d3k7q2v8r4x9m1z5c0t7w2ha",
                "number": 1,
                "batch_id": None,
                "started_at": "2026-03-09T13:00:00.000Z",
                "duration_ms": 125,
                "outcome": "succeeded",
                "status_code": 200,
                "request": {
                    "method": "POST",
                    "url": "https://hooks.zapier.com/hooks/standard/1/2/",
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "body": "{…}",
                },
                "response": {
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "body": "{…}",
                    "truncated": False,
                },
            }
        ],
    }


class DeliveriesQuerySchema(PageQuerySchema):
    """Which deliveries."""

    subscription_id = Text(
        load_default=None, max_length=200, metadata={"description": "Only of this subscription."}
    )
    state = Member(
        DeliveryState, load_default=None, metadata={"description": "Only in this state."}
    )
    trigger = Text(
        load_default=None, max_length=200, metadata={"description": "Only of this trigger."}
    )
    since = Moment(
        load_default=None, metadata={"description": "Only created at this moment or later."}
    )
    until = Moment(load_default=None, metadata={"description": "Only created before this moment."})
