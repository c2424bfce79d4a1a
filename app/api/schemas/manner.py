"""How a subscription is delivered: when it is tried again, how fast, how much at once."""

from typing import ClassVar

from app.api.schemas.fields import Member, Part, Whole
from app.api.schemas.wire import WireSchema
from app.core.batching import MAX_AGE_SECONDS, MAX_EVENTS, MIN_EVENTS
from app.core.retries import POLICIES
from app.core.subscriptions import MAX_PER_SECOND


class BatchingSchema(WireSchema):
    """Events go together, as one JSON array."""

    max_events = Whole(
        required=True,
        low=MIN_EVENTS,
        high=MAX_EVENTS,
        metadata={"description": "Send as soon as there are so many."},
    )
    max_age_seconds = Whole(
        required=True,
        low=1,
        high=MAX_AGE_SECONDS,
        metadata={"description": "Keep no event longer than this for others to join it."},
    )
    example: ClassVar = {"max_events": 100, "max_age_seconds": 60}


_RETRY = {"description": "When what fails is tried again. Null: as everything is."}
_PACE = {"description": "Requests a second at most. Null: as its platform takes them."}
_BATCHING = {"description": "Several events in one request. Null: each by itself."}


class AskedMannerSchema(WireSchema):
    """How to deliver; what is left out is not asked for."""

    retry_policy = Member(list(POLICIES), allow_none=True, metadata=_RETRY)
    per_second = Whole(low=1, high=MAX_PER_SECOND, allow_none=True, metadata=_PACE)
    batching = Part(BatchingSchema, allow_none=True, metadata=_BATCHING)


class MannerSchema(WireSchema):
    """How it is delivered."""

    retry_policy = Member(list(POLICIES), required=True, allow_none=True, metadata=_RETRY)
    per_second = Whole(required=True, allow_none=True, metadata=_PACE)
    batching = Part(BatchingSchema, required=True, allow_none=True, metadata=_BATCHING)
    example: ClassVar = {"retry_policy": None, "per_second": None, "batching": None}
