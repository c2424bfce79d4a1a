"""Rows of deliveries and attempts."""

from itertools import chain
from typing import Any

from app.core.deliveries import Attempt, Delivery, DeliveryState, Outcome, OutcomeKind
from app.core.jsontypes import Json
from app.storage.rows import AnyRow
from app.storage.tables import deliveries

# What a `Delivery` is made of; the rest of the row is the business of claiming.
DELIVERY_COLUMNS = (
    deliveries.c.id,
    deliveries.c.account_id,
    deliveries.c.event_id,
    deliveries.c.subscription_id,
    deliveries.c.trigger,
    deliveries.c.payload_id,
    deliveries.c.created_at,
    deliveries.c.state,
    deliveries.c.next_attempt_at,
    deliveries.c.attempt_count,
    deliveries.c.settled_at,
    deliveries.c.outcome,
    deliveries.c.status_code,
)


_DELIVERY_WIDTH = len(DELIVERY_COLUMNS)
# What a new delivery is stored with.
NEW_COLUMNS = (*(column.name for column in DELIVERY_COLUMNS), "fence", "due_at", "lane_at")


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Return the values of a new delivery's row, but for when it is due."""
    return {
        "id": delivery.id,
        "account_id": delivery.account_id,
        "event_id": delivery.event_id,
        "subscription_id": delivery.subscription_id,
        "trigger": delivery.trigger,
        "payload_id": delivery.payload_id,
        "created_at": delivery.created_at,
        "state": delivery.state.value,
        "next_attempt_at": delivery.next_attempt_at,
        "attempt_count": delivery.attempt_count,
        "settled_at": delivery.settled_at,
        "outcome": delivery.outcome.value if delivery.outcome else None,
        "status_code": delivery.status_code,
        "fence": 0,
    }


def delivery(row: AnyRow, *, state: DeliveryState | None = None) -> Delivery:
    """Return the delivery of a row, in its own state or in ``state``.

    The row begins with `DELIVERY_COLUMNS`: to take them in their order is several times as
    fast as by their names, and claims read thousands.
    """
    (
        delivery_id,
        account_id,
        event_id,
        subscription_id,
        trigger,
        payload_id,
        created_at,
        own_state,
        next_attempt_at,
        attempt_count,
        settled_at,
        outcome,
        status_code,
    ) = row[:_DELIVERY_WIDTH]
    return Delivery(
        id=delivery_id,
        account_id=account_id,
        event_id=event_id,
        subscription_id=subscription_id,
        trigger=trigger,
        payload_id=payload_id,
        created_at=created_at,
        state=state or DeliveryState(own_state),
        next_attempt_at=next_attempt_at,
        attempt_count=attempt_count,
        settled_at=settled_at,
        outcome=OutcomeKind(outcome) if outcome else None,
        status_code=status_code,
    )


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    """Return the values of an attempt's row."""
    outcome = attempt.outcome
    return {
        "id": attempt.id,
        "delivery_id": attempt.delivery_id,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "method": attempt.method,
        "target_url": attempt.target_url,
        "request_headers": _headers_json(attempt.request_headers),
        "outcome": outcome.kind.value,
        "duration_ms": outcome.duration_ms,
        "status_code": outcome.status_code,
        "response_headers": _headers_json(outcome.response_headers),
        "response_body": outcome.response_body,
        "truncated": outcome.truncated,
        "retry_after_seconds": outcome.retry_after_seconds,
        "detail": _storable(outcome.detail),
    }


def attempt(row: AnyRow) -> Attempt:
    """Return the attempt of a row."""
    return Attempt(
        id=row.id,
        delivery_id=row.delivery_id,
        number=row.number,
        started_at=row.started_at,
        method=row.method,
        target_url=row.target_url,
        request_headers=_headers(row.request_headers),
        outcome=_outcome(row),
    )


def _outcome(row: AnyRow) -> Outcome:
    return Outcome(
        kind=OutcomeKind(row.outcome),
        duration_ms=row.duration_ms,
        status_code=row.status_code,
        response_headers=_headers(row.response_headers),
        response_body=row.response_body,
        truncated=row.truncated,
        retry_after_seconds=row.retry_after_seconds,
        detail=row.detail,
    )


def _headers_json(headers: tuple[tuple[str, str], ...]) -> Json:
    together = "".join(chain.from_iterable(headers))
    if together.isascii() and "\0" not in together:
        return headers
    return [(_storable(name), _storable(value)) for name, value in headers]


def _headers(json: Json) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json)


def _storable(text: str) -> str:
    """Return ``text`` without what no engine stores: NUL and lone surrogates.

    A hostile receiver's header must not make the whole batch of settlements fail.
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
