"""Triggers, the fields of their payloads, and samples."""

from typing import ClassVar

from app.api.schemas.fields import (
    Flag,
    JsonObject,
    JsonValue,
    ListOf,
    Member,
    Moment,
    Part,
    QueryJson,
    QueryValues,
    QueryWhole,
    Text,
)
from app.api.schemas.queries import ResourceIdsQuerySchema
from app.api.schemas.wire import WireSchema
from app.core.fields import FieldType


class TriggerEventSchema(WireSchema):
    """One of the event types that fire a trigger."""

    value = Text(required=True, metadata={"description": "What payloads hold as `event`."})
    label = Text(required=True)
    type = Text(required=True, metadata={"description": "What publishers call it."})


class TriggerSchema(WireSchema):
    """What a subscriber picks."""

    key = Text(required=True)
    catalog = Text(required=True)
    label = Text(required=True)
    description = Text(required=True)
    noun = Text(required=True, metadata={"description": "What one event is about, in a word."})
    available = Flag(required=True, metadata={"description": "Whether the account can use it."})
    unavailable_reason = Text(required=True, allow_none=True)
    events = ListOf(Part(TriggerEventSchema), required=True)
    resource_kind = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What subscriptions can be restricted to; see `/resources`."},
    )
    resource_required = Flag(
        required=True, metadata={"description": "Subscriptions must name resources."}
    )
    filters = ListOf(
        Text(), required=True, metadata={"description": "The fields that are offered as filters."}
    )
    diverts = Flag(
        required=True,
        metadata={"description": "The product itself does not act while a subscription fires."},
    )
    example: ClassVar = {
        "key": "changed_appointment",
        "catalog": "bookings",
        "label": "Changed appointment",
        "description": "Triggers when an appointment is created, changed or deleted.",
        "noun": "appointment",
        "available": True,
        "unavailable_reason": None,
        "events": [{"value": "create", "label": "Created", "type": "appointment.create"}],
        "resource_kind": "schedule",
        "resource_required": False,
        "filters": ["event", "role", "status_code"],
        "diverts": False,
    }


class ChoiceSchema(WireSchema):
    """One value of a closed set."""

    value = JsonValue(required=True, metadata={"description": "The same in every language."})
    label = Text(required=True)


class ChildFieldSchema(WireSchema):
    """One field of the objects in a list."""

    key = Text(required=True, metadata={"description": "Its path within one object."})
    label = Text(required=True)
    help = Text(required=True, allow_none=True)
    type = Member(FieldType, required=True)
    format = Text(required=True, allow_none=True)
    sample = JsonValue(required=True, allow_none=True)


class FieldSchema(ChildFieldSchema):
    """One field of a payload. Objects are flattened; a list of objects is one entry."""

    key = Text(required=True, metadata={"description": "Its dotted path: `contact.email`."})
    required = Flag(
        required=True, metadata={"description": "Always true: payloads have null, never a gap."}
    )
    filterable = Flag(required=True, metadata={"description": "Offered as a filter input."})
    operators = ListOf(
        Text(), required=True, metadata={"description": "How a filter can compare it."}
    )
    choices = ListOf(Part(ChoiceSchema), required=True)
    personal = Flag(required=True, metadata={"description": "Holds personal data."})
    list = Flag(required=True)
    children = ListOf(
        Part(ChildFieldSchema),
        required=True,
        metadata={"description": "For a list of objects: the fields of each."},
    )
    source = Member(
        ["envelope", "catalog", "custom_field", "form"],
        required=True,
        metadata={"description": "Where the field comes from."},
    )
    example: ClassVar = {
        "key": "event",
        "label": "Event",
        "help": "What happened. The value is the same in every language.",
        "type": "string",
        "format": None,
        "sample": "create",
        "required": True,
        "filterable": True,
        "operators": ["eq", "ne", "in", "not_in"],
        "choices": [{"value": "create", "label": "Created"}],
        "personal": False,
        "list": False,
        "children": [],
        "source": "envelope",
    }


class FieldsSchema(WireSchema):
    """Every field of a trigger's payloads."""

    data = ListOf(Part(FieldSchema), required=True)
    example: ClassVar = {"data": [FieldSchema.example]}


class ActorOfExampleSchema(WireSchema):
    """Who did it."""

    role = JsonValue()


class PublishableExampleSchema(WireSchema):
    """An event that fires the trigger: the body of a publish."""

    account = Text(required=True)
    type = Text(required=True)
    data = JsonObject(required=True)
    actor = Part(ActorOfExampleSchema)
    example: ClassVar = {
        "account": "atelier-bleu",
        "type": "appointment.create",
        "data": {"id": 12345, "full_name": "Inès Moreau", "price": 45.0},
        "actor": {"role": 3},
    }


class SamplesQuerySchema(ResourceIdsQuerySchema):
    """Which samples."""

    limit = QueryWhole(
        low=1, high=100, load_default=3, metadata={"description": "How many at most."}
    )
    event = QueryValues(
        load_default=(),
        high=100,
        metadata={"description": "Only of these events, `create,destroy`."},
    )
    role = QueryValues(
        load_default=(), high=100, metadata={"description": "Only caused by these roles."}
    )
    status_code = QueryValues(
        load_default=(), high=100, metadata={"description": "Only with these status codes."}
    )
    filters = QueryJson(
        load_default=None,
        metadata={
            "description": "A filter as JSON, as in a subscription; applied together with "
            "`event`, `role` and `status_code`."
        },
    )
    since = Moment(
        load_default=None,
        metadata={"description": "Only real events that Relais received after this moment."},
    )
