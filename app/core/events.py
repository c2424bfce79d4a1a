"""Events: what happened in the vendor's product, as it was accepted."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.ids import AccountId, EventId
from app.core.jsontypes import JsonObject


class Disposition(StrEnum):
    """What became of an event at ingest, before any subscription was asked."""

    OPEN = "open"  # subscriptions decide
    SILENT = "silent"  # its origin fires nothing
    COLLAPSED = "collapsed"  # a later one of the same transaction stands for it
    ACCOUNT_OFF = "account_off"  # the account's main switch was off


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it: ``role`` is one of the catalog's roles."""

    role: int | None = None
    id: str | None = None
    name: str | None = None


NOBODY = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a record of an account.

    Attributes:
        type: The event type's name, ``appointment.create``, after attachments were
            resolved.
        published_type: The name it was published under.
        data: The record, as published.
        record_id: The record's own id as text, or None where data has none.
        transaction: The publisher's name for the transaction it belongs to.
    """

    id: EventId
    account_id: AccountId
    catalog: str
    type: str
    published_type: str
    data: JsonObject
    occurred_at: datetime
    received_at: datetime
    actor: Actor
    origin: str | None = None
    notify: bool = False
    record_id: str | None = None
    transaction: str | None = None
    disposition: Disposition = Disposition.OPEN
