"""What an account can pick: triggers, and what their payloads hold."""

from typing import Any

from flask import Response

from app.api import field_lists
from app.api.answers import json_answer
from app.api.auth import Access
from app.api.current import account_id, context
from app.api.language import language
from app.api.paging import whole_answer
from app.api.schemas.queries import ResourceIdsQuerySchema
from app.api.schemas.triggers import FieldsSchema, PublishableExampleSchema, TriggerSchema
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.errors import NotFoundError
from app.core.jsontypes import Json
from app.services import triggers
from app.services.accounts import find_account
from app.services.triggers import AccountTrigger

section = Section("Triggers", "What an account can pick, and what it will be sent.")
_SCHEMA_EXAMPLE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Changed appointment",
    "type": "object",
    "properties": {"id": {"title": "Event ID", "type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}


@section.get("/triggers")
@section.access(Access.ACCOUNT, localised=True)
@section.response(200, list_of(TriggerSchema))
def list_triggers() -> Json:
    """List the account's triggers.

    Those that the account cannot use now are listed too, with the reason.
    """
    found = triggers.list_triggers(context(), account_id())
    return whole_answer([_trigger(one) for one in found])


@section.get("/triggers/<trigger>")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,), localised=True)
@section.response(200, TriggerSchema)
def get_trigger(trigger: str) -> Json:
    """Read one trigger."""
    return _trigger(triggers.find_trigger(context(), account_id(), trigger))


@section.get("/triggers/<trigger>/fields")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,), localised=True)
@section.arguments(ResourceIdsQuerySchema, location="query")
@section.response(200, FieldsSchema)
def list_trigger_fields(query: dict[str, Any], trigger: str) -> Json:
    """List the fields of the trigger's payloads.

    With everything that this account added: optional fields, custom fields, forms. Objects
    are flattened to dotted paths.
    """
    shape = triggers.trigger_shape(context(), account_id(), trigger, query["resource_id"])
    found = triggers.find_trigger(context(), account_id(), trigger).trigger
    return {"data": field_lists.fields_of(context().registry, found, shape, language())}


@section.get("/triggers/<trigger>/schema")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.arguments(ResourceIdsQuerySchema, location="query")
@section.response(200, {"type": "object"}, example=_SCHEMA_EXAMPLE)
def get_trigger_schema(query: dict[str, Any], trigger: str) -> Response:
    """Read the JSON Schema of the trigger's payloads.

    JSON Schema 2020-12, for this account; samples and deliveries follow it.
    """
    schema = triggers.trigger_schema(context(), account_id(), trigger, query["resource_id"])
    return json_answer(schema)


@section.get("/triggers/<trigger>/example")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.response(200, PublishableExampleSchema)
def get_publishable_example(trigger: str) -> Json:
    """Read an event that fires the trigger.

    It can be published as it is, to see a delivery.
    """
    made = triggers.publishable_example(context(), account_id(), trigger)
    reference = find_account(context(), account_id()).reference
    example: dict[str, Json] = {"account": reference, "type": made.type, "data": made.data}
    return example if made.role is None else {**example, "actor": {"role": made.role}}


def _trigger(found: AccountTrigger) -> dict[str, Json]:
    trigger, words = found.trigger, language()
    restriction = trigger.restriction
    return {
        "key": trigger.key,
        "catalog": trigger.catalog,
        "label": trigger.label.in_language(words),
        "description": trigger.help.in_language(words),
        "noun": trigger.noun.in_language(words),
        "available": found.unavailable is None,
        "unavailable_reason": found.unavailable and found.unavailable.in_language(words),
        "events": [
            {"value": event.value, "label": event.label.in_language(words), "type": event.name}
            for event in trigger.events
        ],
        "resource_kind": restriction and restriction.kind,
        "resource_required": restriction is not None and restriction.required,
        "filters": trigger.filters,
        "diverts": any(event.diverts for event in trigger.events),
    }
