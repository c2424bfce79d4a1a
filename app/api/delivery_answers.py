"""Deliveries as answers show them."""

from typing import Final

from app.core import jsontext
from app.core.deliveries import Attempt, Delivery
from app.core.jsontypes import Json
from app.services.deliveries import DeliveryStory

# What we wrote ourselves is at most a little deeper than what was published.
_PAYLOAD_DEPTH: Final = 2 * jsontext.MAX_DEPTH


def delivery_answer(delivery: Delivery, event_type: str) -> dict[str, Json]:
    """Return a delivery, with the type of its event."""
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "subscription_id": delivery.subscription_id,
        "trigger": delivery.trigger,
        "event_type": event_type,
        "state": delivery.state,
        "attempt_count": delivery.attempt_count,
        "next_attempt_at": delivery.next_attempt_at,
        "created_at": delivery.created_at,
        "settled_at": delivery.settled_at,
        "outcome": delivery.outcome,
        "status_code": delivery.status_code,
    }


def story_answer(story: DeliveryStory) -> dict[str, Json]:
    """Return a delivery with its payload and attempts."""
    return {
        **delivery_answer(story.delivery, story.event.type),
        "payload": jsontext.decode(story.payload.body, max_depth=_PAYLOAD_DEPTH),
        "attempts": [
            _attempt(number, one, story.body_of(one))
            for number, one in enumerate(story.attempts, 1)
        ],
    }


def _attempt(number: int, attempt: Attempt, body: bytes) -> dict[str, Json]:
    """Return an attempt; ``number`` counts all of the delivery, redeliveries too."""
    outcome = attempt.outcome
    return {
        "id": attempt.id,
        "number": number,
        "batch_id": attempt.batch_id,
        "started_at": attempt.started_at,
        "duration_ms": outcome.duration_ms,
        "outcome": outcome.kind,
        "status_code": outcome.status_code,
        "request": {
            "method": attempt.method,
            "url": attempt.target_url,
            "headers": _headers(attempt.request_headers),
            "body": body.decode(),
        },
        "response": None if outcome.status_code is None else _response(attempt),
    }


def _response(attempt: Attempt) -> dict[str, Json]:
    outcome = attempt.outcome
    return {
        "headers": _headers(outcome.response_headers),
        "body": outcome.response_body.decode(errors="replace"),
        "truncated": outcome.truncated,
    }


def _headers(headers: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
