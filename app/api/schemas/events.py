"""Events: published, read, explained."""

from functools import cached_property
from typing import Any, ClassVar

from app.api.schemas.fields import Flag, JsonObject, ListOf, Member, Moment, Part, Text, Whole
from app.api.schemas.problems import FieldProblemSchema
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.quick import UNSURE, Read, quick_reader
from app.api.schemas.wire import WireSchema
from app.core.events import Disposition
from app.core.matching import Reason


class QuickSchema(WireSchema):
    """A shape that is read a hundred times in a request, or a thousand times a second."""

    @cached_property
    def _quickly(self) -> Read:
        return quick_reader(self)

    def load(self, data: Any, **options: Any) -> Any:
        """Return what ``data`` says; raises marshmallow's ValidationError."""
        loaded = self._quickly(data)
        return super().load(data, **options) if loaded is UNSURE else loaded


class ActorSchema(WireSchema):
    """Who did it."""

    role = Whole(
        allow_none=True,
        low=-(2**31),
        high=2**31 - 1,
        metadata={"description": "One of the catalog's roles."},
    )
    id = Text(allow_none=True, max_length=200)
    name = Text(allow_none=True, max_length=200)


class NewEventSchema(QuickSchema):
    """Something that happened to a record of an account."""

    account = Text(
        required=True,
        min_length=1,
        max_length=200,
        metadata={"description": "The account's id, or your reference for it."},
    )
    type = Text(required=True, max_length=300, metadata={"description": "`appointment.create`."})
    data = JsonObject(required=True, metadata={"description": "The record."})
    occurred_at = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it happened; the moment of receipt where left out."},
    )
    actor = Part(ActorSchema, load_default=None, allow_none=True)
    origin = Text(
        load_default=None,
        allow_none=True,
        max_length=100,
        metadata={"description": "How it came about: `api`, `import`; some origins are silent."},
    )
    notify = Flag(
        load_default=False,
        metadata={"description": "Lifts the silence of an origin, where the catalog allows it."},
    )
    idempotency_key = Text(
        load_default=None,
        allow_none=True,
        min_length=1,
        max_length=255,
        metadata={
            "description": "Names this event: however often it is published with this key, it "
            "is accepted once."
        },
    )
    transaction = Text(
        load_default=None,
        allow_none=True,
        max_length=200,
        metadata={
            "description": "Your name for the transaction it belongs to. Several events of one "
            "type on one record in one transaction can collapse to the last one."
        },
    )
    example: ClassVar = {
        "account": "atelier-bleu",
        "type": "appointment.create",
        "data": {"id": 12345, "full_name": "Inès Moreau", "price": 45.0},
        "actor": {"role": 3},
        "idempotency_key": "appointment-12345-1",
    }


class EventBatchSchema(QuickSchema):
    """Up to 100 events, accepted together or not at all."""

    batch_of = "events"
    events = ListOf(Part(NewEventSchema), required=True, low=1, high=100)
    example: ClassVar = {"events": [{**NewEventSchema.example, "transaction": "t-1"}]}


class PublishedSchema(WireSchema):
    """An event that was accepted: it is stored, and its deliveries are under way."""

    id = Text(required=True)
    deliveries = Whole(required=True, metadata={"description": "How many subscriptions it fires."})
    diverted = Flag(
        required=True, metadata={"description": "A subscriber takes over: do not act yourself."}
    )
    disposition = Member(Disposition, required=True)
    warnings = ListOf(
        Part(FieldProblemSchema),
        required=True,
        metadata={"description": "What in the data does not follow the catalog."},
    )
    example: ClassVar = {
        "id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "deliveries": 2,
        "diverted": False,
        "disposition": "open",
        "warnings": [],
    }


class PublishedBatchSchema(WireSchema):
    """The answers, in the order of the events."""

    results = ListOf(Part(PublishedSchema), required=True)
    example: ClassVar = {"results": [PublishedSchema.example]}


class CheckedSchema(WireSchema):
    """What publishing an event would do now."""

    deliveries = Whole(required=True)
    diverted = Flag(required=True)
    disposition = Member(Disposition, required=True)
    example: ClassVar = {"deliveries": 1, "diverted": True, "disposition": "open"}


class EventSchema(WireSchema):
    """An event as it was accepted."""

    id = Text(required=True)
    account_id = Text(required=True)
    catalog = Text(required=True)
    type = Text(
        required=True,
        metadata={"description": "What it counts as: a form of an appointment changes that."},
    )
    published_type = Text(required=True)
    record_id = Text(required=True, allow_none=True)
    data = JsonObject(required=True)
    occurred_at = Moment(required=True)
    received_at = Moment(required=True)
    actor = Part(ActorSchema, required=True)
    origin = Text(required=True, allow_none=True)
    notify = Flag(required=True)
    transaction = Text(required=True, allow_none=True)
    disposition = Member(Disposition, required=True)
    example: ClassVar = {
        "id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "account_id": "acc_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "catalog": "bookings",
        "type": "appointment.create",
        "published_type": "appointment.create",
        "record_id": "12345",
        "data": {"id": 12345, "full_name": "Inès Moreau", "price": 45.0},
        "occurred_at": "2026-03-09T13:00:00.000Z",
        "received_at": "2026-03-09T13:00:00.000Z",
        "actor": {"role": 3, "id": None, "name": None},
        "origin": None,
        "notify": False,
        "transaction": None,
        "disposition": "open",
    }


class EventsQuerySchema(PageQuerySchema):
    """Which events."""

    type = Text(
        load_default=None,
        max_length=300,
        metadata={"description": "Only of this type: `appointment.create`."},
    )
    record_id = Text(
        load_default=None,
        max_length=300,
        metadata={"description": "Only about this record, by the product's own id."},
    )


class ExplainedSubscriptionSchema(WireSchema):
    """The subscription that was asked."""

    id = Text(required=True)
    name = Text(required=True)


class ExplanationSchema(WireSchema):
    """Why one subscription fired, or did not."""

    subscription = Part(ExplainedSubscriptionSchema, required=True)
    trigger = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The trigger that fired, or came closest."},
    )
    fired = Flag(required=True)
    reason = Member(Reason, required=True)
    text = Text(required=True, metadata={"description": "The reason in words."})
    delivery_id = Text(required=True, allow_none=True)
    example: ClassVar = {
        "subscription": {"id": "sub_06d3k7q2v8r4x9m1z5c0t7w2ha", "name": ""},
        "trigger": "changed_appointment",
        "fired": False,
        "reason": "filter_false",
        "text": "The filter wants: Event is Deleted, but Event was Created.",
        "delivery_id": None,
    }


class ExplanationsSchema(WireSchema):
    """Why each subscription of the account fired, or did not."""

    event = Part(EventSchema, required=True)
    data = ListOf(Part(ExplanationSchema), required=True)
    example: ClassVar = {"event": EventSchema.example, "data": [ExplanationSchema.example]}
