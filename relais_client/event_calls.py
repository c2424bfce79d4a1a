"""Publishing: one event, a batch, and the question what an event would do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from relais_client.answers import Check, Published
from relais_client.connection import Connection, read
from relais_client.exchange import Answer
from relais_client.inputs import Actor, NewEvent
from relais_client.wire import Json, JsonObject

MAX_BATCH = 100


class EventCalls:
    """The calls about events."""

    _connection: Connection

    def publish(
        self,
        account: str,
        type: str,  # noqa: A002 - the API's own word
        data: JsonObject,
        *,
        occurred_at: datetime | None = None,
        actor: Actor | None = None,
        origin: str | None = None,
        notify: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Publish one event; when this returns, Relais has stored it and will deliver it.

        Every attempt of this call carries the same idempotency key, so a retry never
        publishes twice. Give a key of your own (a change's id) where your code itself
        may publish the same event again, after a crash for instance.

        Args:
            account: The account's id (``acc_…``) or your reference for it.
            type: The event type's name, ``appointment.create``.
            data: The record. Mappings, aware datetimes, dates and UUIDs may stand in it.
            occurred_at: When it happened, aware; the moment of receipt where left out.
            actor: Who did it.
            origin: How it came about (``api``, ``import``); some origins are silent.
            notify: True lifts the silence of an origin, where the catalog allows it.
            idempotency_key: Names the event; a new UUID where left out.

        Raises:
            RefusedError: With ``errors`` by field where the event is wrong.
            UnreachableError: Whether it was accepted is unknown.
            ValueError: A naive datetime, or data that JSON cannot carry.
            TypeError: A value that has no JSON form.
        """
        event = NewEvent(
            account=account,
            type=type,
            data=data,
            occurred_at=occurred_at,
            actor=actor,
            origin=origin,
            notify=notify,
            idempotency_key=idempotency_key,
        )
        answer = self._connection.submit("POST", "/events", _with_key(event).to_json())
        return read(_published, answer)

    def publish_batch(self, events: Sequence[NewEvent]) -> list[Published]:
        """Publish up to 100 events at once: all of them are accepted, or none.

        Of the events with one ``transaction``, where the catalog says so, only the last
        of a type about a record fires. The answers stand in the order of the events; of
        no events there are none.

        Raises:
            RefusedError: Nothing was accepted; ``errors`` name ``events.<index>.…``.
            UnreachableError: Whether the batch was accepted is unknown.
            ValueError: More than 100 events, or as for `publish`.
            TypeError: A value that has no JSON form.
        """
        if len(events) > MAX_BATCH:
            raise ValueError(f"events: {len(events)}; a batch holds at most {MAX_BATCH}")
        if not events:
            return []
        body = {"events": [_with_key(event).to_json() for event in events]}
        answer = self._connection.submit("POST", "/events/batch", body)
        return read(_published_batch, answer)

    def check(
        self,
        account: str,
        type: str,  # noqa: A002 - the API's own word
        data: JsonObject,
        *,
        occurred_at: datetime | None = None,
        actor: Actor | None = None,
        origin: str | None = None,
        notify: bool | None = None,
    ) -> Check:
        """Return what publishing this event would do now; nothing is stored.

        The arguments and errors are those of `publish`. Between the check and a publish
        a subscription can come or go: what `publish` answers is what counts.
        """
        event = NewEvent(
            account=account,
            type=type,
            data=data,
            occurred_at=occurred_at,
            actor=actor,
            origin=origin,
            notify=notify,
        )
        return read(
            Check.from_json, self._connection.send("POST", "/events/check", event.to_json())
        )


def _with_key(event: NewEvent) -> NewEvent:
    return event if event.idempotency_key else replace(event, idempotency_key=str(uuid4()))


def _published(answer: Answer) -> Published:
    return _one(answer, answer.document())


def _published_batch(answer: Answer) -> list[Published]:
    return [_one(answer, result) for result in answer.document()["results"]]


def _one(answer: Answer, document: Json) -> Published:
    replayed = answer.headers.get("Idempotent-Replay") == "true"
    return Published.from_json(document, replayed=replayed)
