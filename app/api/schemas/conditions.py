"""How a subscription is: what goes wrong, and what waits."""

from typing import ClassVar

from app.api.schemas.fields import Moment, Whole
from app.api.schemas.wire import WireSchema
from app.core.records import MOST_WAITING


class SubscriptionHealthSchema(WireSchema):
    """Whether all is well: then everything here is null or 0."""

    failing_since = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "The first failed attempt since the last success."},
    )
    failures = Whole(
        required=True, metadata={"description": "The failed attempts since the last success."}
    )
    suspended_since = Moment(
        required=True,
        allow_none=True,
        metadata={
            "description": "Since when the service holds it; a change made to it meanwhile "
            "begins this anew. `state_reason` says why."
        },
    )
    next_try_at = Moment(
        required=True,
        allow_none=True,
        metadata={
            "description": "When something is sent again, where its target asked for a pause, "
            "keeps failing, or is off and probed. Null: each delivery goes at its own time, or "
            "none until it is resumed."
        },
    )
    waiting = Whole(
        required=True,
        metadata={
            "description": "How many deliveries are not settled yet; "
            f"{MOST_WAITING:,} stands for so many or more."
        },
    )
    example: ClassVar = {
        "failing_since": None,
        "failures": 0,
        "suspended_since": None,
        "next_try_at": None,
        "waiting": 0,
    }
