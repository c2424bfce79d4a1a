"""Replays: send again what failed, send at last what was missed; and the list of that."""

from datetime import UTC, datetime
from typing import Any

from flask import Response

from app.api.answers import Answer, json_answer, no_content
from app.api.auth import Access
from app.api.current import absolute_url, account_id, context
from app.api.paging import page_answer
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.replays import (
    MissedQuerySchema,
    MissedSchema,
    NewReplaySchema,
    ReplayCountSchema,
    ReplaySchema,
)
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.errors import ConflictError, NotFoundError
from app.core.jsontypes import Json
from app.core.records import Page
from app.core.replays import Replay, ReplayKind
from app.services import replays
from app.services.hindsight import Missed
from app.services.replays import ReplayWish

section = Section("Replays", "Send again what failed, and at last what was missed.")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_LOCATION = {"Location": {"description": "Its URL.", "schema": {"type": "string", "format": "uri"}}}


@section.post("/subscriptions/<subscription_id>/replays")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError))
@section.arguments(NewReplaySchema)
@section.response(202, ReplaySchema, description="It is on its way.", headers=_LOCATION)
@section.alt_response(
    200,
    schema=ReplayCountSchema,
    example=ReplayCountSchema.example,
    description="A dry run: what it would send.",
    success=True,
)
def create_replay(body: dict[str, Any], subscription_id: str) -> Answer | Response:
    """Replay a range of time.

    A job that goes on by itself, oldest first, at the subscription's `per_second` or ten a
    second; nothing is skipped or sent twice if the service stops in the middle. What happens
    meanwhile goes first. One at a time for each subscription, and only while that is active.
    """
    wish = _wish(body)
    if body["dry_run"]:
        count = replays.count_replay(context(), account_id(), subscription_id, wish)
        return json_answer({"found": count.found, "is_partial": count.is_partial})
    started = replays.start_replay(context(), account_id(), subscription_id, wish)
    return _answer(started), 202, {"Location": absolute_url(f"/replays/{started.id}")}


@section.get("/subscriptions/<subscription_id>/replays")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.arguments(PageQuerySchema, location="query")
@section.response(200, list_of(ReplaySchema))
def list_replays(query: dict[str, Any], subscription_id: str) -> Json:
    """List a subscription's replays, newest first."""
    page = replays.list_replays(
        context(), account_id(), subscription_id, limit=query["limit"], cursor=query["cursor"]
    )
    answers = tuple(_answer(one) for one in page.items)
    return page_answer(Page(items=answers, next_cursor=page.next_cursor))


@section.get("/subscriptions/<subscription_id>/missed")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.arguments(MissedQuerySchema, location="query")
@section.response(200, list_of(MissedSchema))
def list_missed(query: dict[str, Any], subscription_id: str) -> Json:
    """List what a subscription missed, oldest first.

    The events of a range that fit it as it is now, and have no delivery for it. A page can be
    short, even empty, before the end: go on until `next_cursor` is null.
    """
    page = replays.list_missed(
        context(),
        account_id(),
        subscription_id,
        ReplayWish(since=query["since"] or _BEGINNING, until=query["until"]),
        limit=query["limit"],
        cursor=query["cursor"],
    )
    answers = tuple(_missed_answer(one) for one in page.items)
    return page_answer(Page(items=answers, next_cursor=page.next_cursor))


@section.get("/replays/<replay_id>")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.response(200, ReplaySchema)
def get_replay(replay_id: str) -> Json:
    """Read a replay: how far it has come."""
    return _answer(replays.find_replay(context(), account_id(), replay_id))


@section.delete("/replays/<replay_id>")
@section.access(Access.ACCOUNT)
@section.response(204)
def cancel_replay(replay_id: str) -> Response:
    """Cancel a replay.

    What it has sent stays sent. The answer is the same for one that is over or never was.
    """
    replays.cancel_replay(context(), account_id(), replay_id)
    return no_content()


def _wish(body: dict[str, Any]) -> ReplayWish:
    return ReplayWish(since=body["since"], until=body["until"], only=ReplayKind(body["only"]))


def _answer(replay: Replay) -> dict[str, Json]:
    return {
        "id": replay.id,
        "subscription_id": replay.subscription_id,
        "since": replay.span.since,
        "until": replay.span.until,
        "only": replay.only,
        "state": replay.state,
        "found": replay.found,
        "sent": replay.sent,
        "percent": replay.percent,
        "created_at": replay.created_at,
        "finished_at": replay.finished_at,
    }


def _missed_answer(missed: Missed) -> dict[str, Json]:
    return {
        "event_id": missed.event.id,
        "event_type": missed.event.type,
        "trigger": missed.trigger,
        "received_at": missed.event.received_at,
        "payload": missed.payload,
    }
