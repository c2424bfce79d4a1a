"""Samples: what a subscription like this would have been sent."""

from typing import Any, Final

from flask import Response

from app.api.answers import json_answer
from app.api.auth import Access
from app.api.current import account_id, context
from app.api.schemas.triggers import SamplesQuerySchema
from app.api.section import Section
from app.core.errors import NotFoundError
from app.services.samples import SampleQuery, samples

section = Section("Samples", "What a subscription would have been sent, for trying things out.")
_SHORTHAND: Final = ("event", "role", "status_code")
_EXAMPLE: Final = [
    {
        "id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "trigger": "changed_appointment",
        "event": "create",
        "role": 3,
        "occurred_at": "2026-03-09T13:00:00.000Z",
        "account": "atelier-bleu",
        "appointment_id": 12345,
        "full_name": "Inès Moreau",
    }
]
_HEADERS: Final = {
    "Relais-Samples": {
        "description": "Where they come from: `events`, `example` or `none`.",
        "schema": {"type": "string", "enum": ["events", "example", "none"]},
    }
}


@section.get("/triggers/<trigger>/samples")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.arguments(SamplesQuerySchema, location="query")
@section.response(
    200,
    {"type": "array", "items": {"type": "object"}},
    example=_EXAMPLE,
    headers=_HEADERS,
    description="Payloads, newest first.",
)
def list_samples(query: dict[str, Any], trigger: str) -> Response:
    """List payloads as a subscription would be sent them.

    Real events of the account that match, newest first; where there are none, one example
    with the fields that this account has. The answer is a bare array. With `since`, only
    real events are returned, so that this can be polled.
    """
    asked = SampleQuery(
        limit=query["limit"],
        resource_ids=tuple(query["resource_id"]),
        filters=query["filters"],
        shorthand={name: query[name] for name in _SHORTHAND if query[name]},
        since=query["since"],
    )
    found = samples(context(), account_id(), trigger, asked)
    return json_answer(list(found.payloads), headers={"Relais-Samples": found.source})
