"""Rows of events, payloads and idempotency records."""

from typing import Any

from app.core.events import Actor, Disposition, Event
from app.core.records import IdempotencyRecord, Payload
from app.storage.rows import AnyRow


def event_row(event: Event) -> dict[str, Any]:
    """Return the values of an event's row."""
    return {
        "id": event.id,
        "account_id": event.account_id,
        "catalog": event.catalog,
        "type": event.type,
        "published_type": event.published_type,
        "data": event.data,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "actor_role": event.actor.role,
        "actor_id": event.actor.id,
        "actor_name": event.actor.name,
        "origin": event.origin,
        "notify": event.notify,
        "record_id": event.record_id,
        "transaction": event.transaction,
        "disposition": event.disposition.value,
    }


def event(row: AnyRow) -> Event:
    """Return the event of a row."""
    return Event(
        id=row.id,
        account_id=row.account_id,
        catalog=row.catalog,
        type=row.type,
        published_type=row.published_type,
        data=row.data,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        actor=Actor(role=row.actor_role, id=row.actor_id, name=row.actor_name),
        origin=row.origin,
        notify=row.notify,
        record_id=row.record_id,
        transaction=row.transaction,
        disposition=Disposition(row.disposition),
    )


def payload_row(payload: Payload) -> dict[str, Any]:
    """Return the values of a payload's row."""
    return {"id": payload.id, "event_id": payload.event_id, "body": payload.body}


def payload(row: AnyRow) -> Payload:
    """Return the payload of a row."""
    return Payload(id=row.id, event_id=row.event_id, body=row.body)


def idempotency_row(record: IdempotencyRecord) -> dict[str, Any]:
    """Return the values of an idempotency record's row."""
    return {
        "account_id": record.account_id,
        "key": record.key,
        "digest": record.digest,
        "answer": record.answer,
        "created_at": record.created_at,
    }


def idempotency_record(row: AnyRow) -> IdempotencyRecord:
    """Return the idempotency record of a row."""
    return IdempotencyRecord(
        account_id=row.account_id,
        key=row.key,
        digest=row.digest,
        answer=row.answer,
        created_at=row.created_at,
    )
