"""Batching: several events of one subscription in one request, as one JSON array.

Here is decided what may go together, and when; `app.storage.batches` keeps what went
together, so that every retry is the same members in the same order: the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.ids import BatchId, DeliveryId

MIN_EVENTS = 2
MAX_EVENTS = 100
MAX_AGE_SECONDS = 3_600
# A request carries no more than this, but for one event that is longer by itself.
MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """Send events together: ``max_events`` of them, or what is there once the first is old.

    Attributes:
        max_events: `MIN_EVENTS` to `MAX_EVENTS` in one request.
        max_age_seconds: 1 to `MAX_AGE_SECONDS`; no event is kept longer than this for others
            to join it.
    """

    max_events: int
    max_age_seconds: int

    @property
    def max_age(self) -> timedelta:
        """Return how long an event is kept for others to join it."""
        return timedelta(seconds=self.max_age_seconds)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits in its subscription's lane, and may go.

    ``batch_id`` is the batch that it went in before. Its own id instead says that it is to
    go in a batch of one: somebody wants just this one again.
    """

    id: DeliveryId
    since: datetime
    batch_id: str | None
    was_claimed: bool

    @property
    def goes_alone(self) -> bool:
        """Return whether it is to go in a batch of one."""
        return self.batch_id == self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What goes in one request.

    Attributes:
        delivery_ids: Its members, where they are not known by the batch that they are in.
        batch_id: The batch that it was before.
        is_array: It is a batch, not a plain delivery.
    """

    delivery_ids: tuple[DeliveryId, ...] = ()
    batch_id: BatchId | None = None
    is_array: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What can go now, in order, and when the events that are left over can."""

    parcels: tuple[Parcel, ...]
    rest_at: datetime | None


def pack(
    waiting: Sequence[Waiting], batching: Batching | None, *, now: datetime, whatever_is_there: bool
) -> Packing:
    """Return the requests that deliveries, the longest waiting first, can go in now.

    What was sent before goes again as it went then. ``whatever_is_there``: do not wait
    until there are enough, since something is asked of the target now. Without a
    ``batching`` nothing new is put together.
    """
    parcels: list[Parcel] = []
    gathered: list[Waiting] = []
    for one in waiting:
        parcel = _as_before(one, batching)
        if parcel is None and batching is not None:
            gathered.append(one)
            if len(gathered) >= batching.max_events:
                parcels.append(_together(gathered))
                gathered = []
        elif parcel is not None and parcel not in parcels:
            parcels.append(parcel)
    if not gathered or batching is None:
        return Packing(parcels=tuple(parcels), rest_at=None)
    rest_at = gathered[0].since + batching.max_age
    if whatever_is_there or rest_at <= now:
        return Packing(parcels=(*parcels, _together(gathered)), rest_at=None)
    return Packing(parcels=tuple(parcels), rest_at=rest_at)


def how_many_fit(sizes: Sequence[int]) -> int:
    """Return how many of the first bodies of these sizes go in one request; at least one."""
    total = 2  # the brackets
    for count, size in enumerate(sizes):
        total += size + 1
        if count and total > MAX_BODY_BYTES + 1:  # the first has no comma
            return count
    return len(sizes)


def array_of(bodies: Sequence[bytes]) -> bytes:
    """Return the body of a batch: a JSON array of the members' own bytes."""
    return b"[" + b",".join(bodies) + b"]"


def _as_before(one: Waiting, batching: Batching | None) -> Parcel | None:
    """Return how a delivery goes that was sent before, or cannot be gathered; else None."""
    if one.goes_alone:
        return Parcel(delivery_ids=(one.id,))
    if one.batch_id is not None:
        return Parcel(batch_id=BatchId(one.batch_id))
    if one.was_claimed or batching is None:
        return Parcel(delivery_ids=(one.id,), is_array=False)
    return None


def _together(gathered: Sequence[Waiting]) -> Parcel:
    return Parcel(delivery_ids=tuple(one.id for one in gathered))
