"""Events, payloads and idempotency records in a transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, select

from app.core import ids
from app.core.events import Disposition, Event
from app.core.ids import AccountId, EventId, PayloadId
from app.core.records import EventQuery, IdempotencyRecord, Page, Payload
from app.storage import tables
from app.storage.bulk import bulk_insert
from app.storage.paging import Position, from_cursor, older_than, page_of
from app.storage.parts import Part, in_batches
from app.storage.rows import AnyRow
from app.storage.rows import events as rows

_EVENTS = tables.events.c
_PAYLOADS = tables.payloads.c
_RECORDS = tables.idempotency_records.c
# What was answered under an account's key.
_RECORD = select(tables.idempotency_records).where(
    _RECORDS.account_id == bindparam("of_account"), _RECORDS.key == bindparam("of_key")
)
_ADD_EVENTS = bulk_insert(tables.events)
_ADD_PAYLOADS = bulk_insert(tables.payloads)
_ADD_RECORDS = bulk_insert(tables.idempotency_records)


class EventPart(Part):
    """See `EventTx`."""

    __slots__ = ()

    def add_events(self, events: Sequence[Event]) -> None:
        """See `EventTx`."""
        # New events.
        _ADD_EVENTS.run(self.connection, [rows.event_row(event) for event in events])

    def event(self, event_id: EventId) -> Event | None:
        """See `EventTx`."""
        # One event.
        statement = select(tables.events).where(_EVENTS.id == event_id)
        row = self.connection.execute(statement).one_or_none()
        return rows.event(row) if row else None

    def event_types(self, event_ids: Sequence[EventId]) -> Mapping[EventId, str]:
        """See `EventTx`."""
        types: dict[EventId, str] = {}
        for batch in in_batches(sorted(set(event_ids))):
            # The types of some events.
            statement = select(_EVENTS.id, _EVENTS.type).where(_EVENTS.id.in_(batch))
            types |= {row.id: row.type for row in self.connection.execute(statement)}
        return types

    def events(
        self, account_id: AccountId, query: EventQuery, *, limit: int, cursor: str | None
    ) -> Page[Event]:
        """See `EventTx`. In the order of `received_at`, then id."""
        conditions = [_EVENTS.account_id == account_id, *_conditions(query)]
        if cursor is not None:
            last = from_cursor(cursor, prefix=ids.EVENT)
            conditions.append(older_than(last, _EVENTS.received_at, _EVENTS.id))
        return page_of(
            self._newest(conditions, query.types, limit=limit + 1),
            limit=limit,
            read=rows.event,
            position=lambda event: Position(event.received_at, event.id),
        )

    def _newest(
        self, conditions: list[ColumnElement[bool]], types: frozenset[str], *, limit: int
    ) -> list[AnyRow]:
        """Return the newest rows; with types, the newest of the newest of each.

        Asked type by type, each question reads ``limit`` rows of an index; asked at
        once, an engine would sort every event of those types.
        """
        if not types:
            return self._newest_where(conditions, limit=limit)
        found = [
            row
            for event_type in sorted(types)
            for row in self._newest_where([*conditions, _EVENTS.type == event_type], limit=limit)
        ]
        return sorted(found, key=lambda row: (row.received_at, row.id), reverse=True)[:limit]

    def _newest_where(self, conditions: list[ColumnElement[bool]], *, limit: int) -> list[AnyRow]:
        # Events of an account, perhaps of one type, newest first.
        statement = (
            select(tables.events)
            .where(*conditions)
            .order_by(_EVENTS.received_at.desc(), _EVENTS.id.desc())
            .limit(limit)
        )
        return list(self.connection.execute(statement))

    def add_payloads(self, payloads: Sequence[Payload]) -> None:
        """See `EventTx`."""
        # New payloads.
        _ADD_PAYLOADS.run(self.connection, [rows.payload_row(each) for each in payloads])

    def payload(self, payload_id: PayloadId) -> Payload | None:
        """See `EventTx`."""
        # One payload.
        statement = select(tables.payloads).where(_PAYLOADS.id == payload_id)
        row = self.connection.execute(statement).one_or_none()
        return rows.payload(row) if row else None

    def idempotency_record(self, account_id: AccountId, key: str) -> IdempotencyRecord | None:
        """See `EventTx`."""
        asked = {"of_account": account_id, "of_key": key}
        row = self.connection.execute(_RECORD, asked).one_or_none()
        return rows.idempotency_record(row) if row else None

    def add_idempotency_records(self, records: Sequence[IdempotencyRecord]) -> None:
        """See `EventTx`."""
        # New records; the primary key refuses a key that was taken meanwhile.
        new = [rows.idempotency_row(record) for record in sorted(records, key=_taken_in_order)]
        _ADD_RECORDS.run(self.connection, new)


def _taken_in_order(record: IdempotencyRecord) -> tuple[str, str]:
    """Return what records are sorted by: two batches then never wait for each other."""
    return record.account_id, record.key


def _conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.since is not None:
        conditions.append(_EVENTS.received_at > query.since)
    if query.record_id is not None:
        conditions.append(_EVENTS.record_id == query.record_id)
    if query.only_open:
        conditions.append(_EVENTS.disposition == Disposition.OPEN.value)
    return conditions
