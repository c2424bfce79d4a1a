"""Events as people see them: listed and read."""

from app.core.errors import NotFoundError
from app.core.events import Event
from app.core.ids import AccountId, EventId
from app.core.ports import Tx
from app.core.records import EventQuery, Page
from app.services.context import Context


def list_events(
    context: Context, account_id: AccountId, query: EventQuery, *, limit: int, cursor: str | None
) -> Page[Event]:
    """List the account's events, newest first."""
    with context.store.read() as tx:
        return tx.events(account_id, query, limit=limit, cursor=cursor)


def find_event(context: Context, event_id: str, account_id: AccountId | None) -> Event:
    """Return an event; with an ``account_id`` only of that account. Raises NotFoundError."""
    with context.store.read() as tx:
        return require_event(tx, event_id, account_id)


def require_event(tx: Tx, event_id: str, account_id: AccountId | None) -> Event:
    """Return an event in a running transaction; see `find_event`."""
    event = tx.event(EventId(event_id))
    if event is None or account_id not in (None, event.account_id):
        raise NotFoundError("There is no event with this id.")
    return event
