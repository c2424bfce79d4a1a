"""What publishers send and are answered."""

from dataclasses import dataclass
from datetime import datetime

from app.core.errors import FieldProblem
from app.core.events import NOBODY, Actor, Disposition
from app.core.ids import EventId
from app.core.jsontypes import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event as the publisher sends it; ``account`` is our id or the vendor's."""

    account: str
    type: str
    data: JsonObject
    occurred_at: datetime | None = None
    actor: Actor = NOBODY
    origin: str | None = None
    notify: bool = False
    idempotency_key: str | None = None
    transaction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The answer to a publisher.

    Attributes:
        deliveries: How many subscriptions the event fired.
        diverted: The vendor must not send that message itself.
        disposition: What became of the event before subscriptions were asked.
        warnings: What does not fit the catalog, where the deployment only warns.
        is_replay: The event was accepted before under the same idempotency key.
    """

    id: EventId
    deliveries: int
    diverted: bool
    disposition: Disposition
    warnings: tuple[FieldProblem, ...] = ()
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What publishing an event would do, without doing it."""

    deliveries: int
    diverted: bool
    disposition: Disposition
