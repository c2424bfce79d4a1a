"""Publish events, read them, and ask why they fired or did not."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response

from app.api.answers import json_answer
from app.api.auth import Access
from app.api.current import account_id, caller, context
from app.api.errors import field_problem
from app.api.language import language
from app.api.paging import page_answer
from app.api.schemas.events import (
    CheckedSchema,
    EventBatchSchema,
    EventSchema,
    EventsQuerySchema,
    ExplanationsSchema,
    NewEventSchema,
    PublishedBatchSchema,
    PublishedSchema,
)
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.errors import IdempotencyConflictError, NotFoundError
from app.core.events import Actor
from app.core.jsontypes import Json
from app.core.matching import Reason
from app.core.records import EventQuery
from app.services import events, explain, ingest
from app.services.explain import Explanation
from app.services.publications import NewEvent, Published

section = Section("Events", "Publishing what happened, and asking what came of it.")
_REPLAY = "Idempotent-Replay"
_REPLAY_HEADER = {
    _REPLAY: {
        "description": "`true` where this was accepted before; it is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


@section.post("/events")
@section.access(Access.PUBLISHER, refuses=(IdempotencyConflictError,))
@section.arguments(NewEventSchema)
@section.response(202, PublishedSchema, description="Accepted.", headers=_REPLAY_HEADER)
def publish_event(body: dict[str, Any]) -> Response:
    """Publish an event.

    When this is answered the event is stored and its deliveries are under way. With an
    `idempotency_key` it can be repeated: the same event gets the same answer.
    """
    published = ingest.publish(context(), _new_event(body))
    return _accepted(_published(published), [published])


@section.post("/events/batch")
@section.access(Access.PUBLISHER, refuses=(IdempotencyConflictError,))
@section.arguments(EventBatchSchema)
@section.response(202, PublishedBatchSchema, description="Accepted.", headers=_REPLAY_HEADER)
def publish_events(body: dict[str, Any]) -> Response:
    """Publish up to 100 events.

    All of them are accepted, or none; a refusal names every wrong one: `events.3.data.price`.
    """
    published = ingest.publish_batch(context(), [_new_event(one) for one in body["events"]])
    return _accepted({"results": [_published(one) for one in published]}, published)


@section.post("/events/check")
@section.access(Access.PUBLISHER)
@section.arguments(NewEventSchema)
@section.response(200, CheckedSchema)
def check_event(body: dict[str, Any]) -> Json:
    """Ask what publishing an event would do now.

    Nothing is stored or sent. Where `diverted` is true a subscriber takes over: do not send
    that message yourself.
    """
    return ingest.check(context(), _new_event(body))


@section.get("/events")
@section.access(Access.ACCOUNT)
@section.arguments(EventsQuerySchema, location="query")
@section.response(200, list_of(EventSchema))
def list_events(query: dict[str, Any]) -> Json:
    """List the account's events, newest first.

    With `record_id`, what happened to one record: "why did my webhook not fire for
    appointment 880143?" begins here.
    """
    wanted = EventQuery(
        types=frozenset([query["type"]] if query["type"] else ()), record_id=query["record_id"]
    )
    page = events.list_events(
        context(), account_id(), wanted, limit=query["limit"], cursor=query["cursor"]
    )
    return page_answer(page)


@section.get("/events/<event_id>")
@section.access(Access.ANY_KEY, refuses=(NotFoundError,))
@section.response(200, EventSchema)
def get_event(event_id: str) -> Json:
    """Read one event."""
    return events.find_event(context(), event_id, caller().account_id)


@section.get("/events/<event_id>/explanations")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,), localised=True)
@section.response(200, ExplanationsSchema)
def explain_event(event_id: str) -> Json:
    """Ask why an event fired each subscription, or did not."""
    event, found = explain.explain_event(context(), account_id(), event_id, language=language())
    return {"event": event, "data": [_explanation(one) for one in found]}


def _new_event(body: dict[str, Any]) -> NewEvent:
    actor = body.pop("actor") or {}
    return NewEvent(actor=Actor(**actor), **body)


def _published(published: Published) -> dict[str, Json]:
    return {
        "id": published.id,
        "deliveries": published.deliveries,
        "diverted": published.diverted,
        "disposition": published.disposition,
        "warnings": [field_problem(one) for one in published.warnings],
    }


def _accepted(answer: Json, published: Sequence[Published]) -> Response:
    """Answer what was accepted, straight: a schema would take longer than the rest."""
    response = json_answer(answer)
    response.status_code = HTTPStatus.ACCEPTED
    if all(one.is_replay for one in published):
        response.headers[_REPLAY] = "true"
    return response


def _explanation(found: Explanation) -> dict[str, Json]:
    return {
        "subscription": found.subscription,
        "trigger": found.trigger,
        "fired": found.reason is Reason.FIRED,
        "reason": found.reason,
        "text": found.text,
        "delivery_id": found.delivery_id,
    }
