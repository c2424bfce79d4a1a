"""Deliveries: listed, read to the byte, and sent again."""

from typing import Any

from app.api.auth import Access
from app.api.current import account_id, context
from app.api.delivery_answers import delivery_answer, story_answer
from app.api.paging import page_answer
from app.api.schemas.deliveries import (
    DeliveriesQuerySchema,
    DeliverySchema,
    DeliveryStorySchema,
)
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.deliveries import DeliveryState
from app.core.errors import ConflictError, NotFoundError
from app.core.jsontypes import Json
from app.core.records import DeliveryQuery, Page
from app.services import deliveries

section = Section("Deliveries", "What was sent, what came back, and sending it again.")


@section.get("/deliveries")
@section.access(Access.ACCOUNT)
@section.arguments(DeliveriesQuerySchema, location="query")
@section.response(200, list_of(DeliverySchema))
def list_deliveries(query: dict[str, Any]) -> Json:
    """List the account's deliveries, newest first."""
    wanted = DeliveryQuery(
        subscription_id=query["subscription_id"],
        trigger=query["trigger"],
        state=query["state"] and DeliveryState(query["state"]),
        since=query["since"],
        until=query["until"],
    )
    page = deliveries.list_deliveries(
        context(), account_id(), wanted, limit=query["limit"], cursor=query["cursor"]
    )
    answers = tuple(delivery_answer(one.delivery, one.event_type) for one in page.items)
    return page_answer(Page(items=answers, next_cursor=page.next_cursor))


@section.get("/deliveries/<delivery_id>")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.response(200, DeliveryStorySchema)
def get_delivery(delivery_id: str) -> Json:
    """Read one delivery, with exactly what was sent and answered."""
    return story_answer(deliveries.read_delivery(context(), account_id(), delivery_id))


@section.post("/deliveries/<delivery_id>/redeliver")
@section.access(Access.ACCOUNT, refuses=(NotFoundError, ConflictError))
@section.response(202, DeliverySchema, description="It is due at once.")
def redeliver(delivery_id: str) -> Json:
    """Send a delivery again.

    The same bytes under the same `webhook-id`, with a fresh set of attempts. Only for
    deliveries that have settled.
    """
    due = deliveries.redeliver(context(), account_id(), delivery_id)
    story = deliveries.read_delivery(context(), account_id(), delivery_id)
    return delivery_answer(due, story.event.type)
