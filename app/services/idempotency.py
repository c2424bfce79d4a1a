"""Publishing twice with one idempotency key: the same event gets the same answer."""

import hashlib
from collections.abc import Mapping

from app.core import clock, jsontext
from app.core.errors import FieldProblem, IdempotencyConflictError
from app.core.events import Disposition, Event
from app.core.ids import AccountId, EventId
from app.core.jsontypes import Json
from app.core.ports import Tx
from app.core.records import IdempotencyRecord
from app.services.publications import NewEvent, Published


def known_answer(tx: Tx, account_id: AccountId, given: NewEvent, prefix: str) -> Published | None:
    """Return what was answered under this event's key before, or None.

    ``prefix`` is the path of the event in the request, for the refusal.

    Raises:
        IdempotencyConflictError: The key was used for a different event.
    """
    if given.idempotency_key is None:
        return None
    record = tx.idempotency_record(account_id, given.idempotency_key)
    if record is None:
        return None
    if record.digest != _digest(given):
        raise IdempotencyConflictError(
            "This idempotency key was used before, for a different event.",
            problems=(_conflict(prefix),),
        )
    return _from_record(record.answer)


def record_of(given: NewEvent, event: Event, answer: Published) -> IdempotencyRecord:
    """Return what to remember of an answer."""
    return IdempotencyRecord(
        account_id=event.account_id,
        key=given.idempotency_key or "",
        digest=_digest(given),
        answer={
            "id": answer.id,
            "deliveries": answer.deliveries,
            "diverted": answer.diverted,
            "disposition": answer.disposition.value,
            "warnings": [[one.field, one.code, one.message] for one in answer.warnings],
        },
        created_at=event.received_at,
    )


def _conflict(prefix: str) -> FieldProblem:
    return FieldProblem(
        field=f"{prefix}idempotency_key",
        code="idempotency_conflict",
        message="Use a new key for a new event, or send the very same event again.",
    )


def _from_record(answer: Mapping[str, Json]) -> Published:
    return Published(
        id=EventId(answer["id"]),
        deliveries=answer["deliveries"],
        diverted=answer["diverted"],
        disposition=Disposition(answer["disposition"]),
        warnings=tuple(
            FieldProblem(field=field, code=code, message=message)
            for field, code, message in answer["warnings"]
        ),
        is_replay=True,
    )


def _digest(given: NewEvent) -> str:
    content = [
        given.type,
        given.data,
        None if given.occurred_at is None else clock.to_text(given.occurred_at),
        [given.actor.role, given.actor.id, given.actor.name],
        given.origin,
        given.notify,
        given.transaction,
    ]
    return hashlib.sha256(jsontext.encode_sorted(content)).hexdigest()
