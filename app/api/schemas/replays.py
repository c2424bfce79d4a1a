"""Replays, and what a subscription missed."""

from typing import ClassVar

from app.api.schemas.fields import Flag, JsonObject, Member, Moment, Text, Whole
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.wire import WireSchema
from app.core.replays import ReplayKind, ReplayState

_SINCE = {"description": "From this moment on."}
_UNTIL = {"description": "Until just before this moment; now, where left out."}


class NewReplaySchema(WireSchema):
    """What to send again."""

    since = Moment(required=True, metadata=_SINCE)
    until = Moment(load_default=None, allow_none=True, metadata=_UNTIL)
    only_ = Member(
        ReplayKind,
        data_key="only",
        attribute="only",
        load_default=ReplayKind.FAILED,
        metadata={
            "description": "`failed`: deliveries that failed. `missed`: events that fit the "
            "subscription as it is now and never fired it, as it was paused, or not there yet. "
            "`all`: both, and what succeeded once more."
        },
    )
    dry_run = Flag(load_default=False, metadata={"description": "Only count; send nothing."})
    example: ClassVar = {"since": "2026-03-03T00:00:00Z", "only": "missed"}


class ReplayCountSchema(WireSchema):
    """What a replay would send."""

    found = Whole(required=True, metadata={"description": "How many deliveries."})
    is_partial = Flag(
        required=True,
        metadata={"description": "There was too much to go through: at least so many."},
    )
    example: ClassVar = {"found": 14, "is_partial": False}


class ReplaySchema(WireSchema):
    """A job that sends again what failed or was missed, at the subscription's pace."""

    id = Text(required=True)
    subscription_id = Text(required=True)
    since = Moment(required=True)
    until = Moment(required=True)
    only_ = Member(ReplayKind, data_key="only", attribute="only", required=True)
    state = Member(ReplayState, required=True)
    found = Whole(
        required=True,
        metadata={"description": "How many there were when it was asked for; at least so many."},
    )
    sent = Whole(required=True, metadata={"description": "How many it has made due so far."})
    percent = Whole(
        required=True, metadata={"description": "How much of its range it has been through."}
    )
    created_at = Moment(required=True)
    finished_at = Moment(required=True, allow_none=True)
    example: ClassVar = {
        "id": "rpl_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "subscription_id": "sub_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "since": "2026-03-03T00:00:00.000Z",
        "until": "2026-03-09T13:00:00.000Z",
        "only": "missed",
        "state": "running",
        "found": 14,
        "sent": 10,
        "percent": 62,
        "created_at": "2026-03-09T13:00:00.000Z",
        "finished_at": None,
    }


class MissedQuerySchema(PageQuerySchema):
    """Which missed events."""

    since = Moment(
        load_default=None,
        metadata={"description": "From this moment on; of all that is kept, where left out."},
    )
    until = Moment(load_default=None, metadata=_UNTIL)


class MissedSchema(WireSchema):
    """An event that a subscription missed, and what it would have been sent."""

    event_id = Text(required=True)
    event_type = Text(required=True)
    trigger = Text(required=True)
    received_at = Moment(required=True)
    payload = JsonObject(required=True)
    example: ClassVar = {
        "event_id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "event_type": "appointment.create",
        "trigger": "changed_appointment",
        "received_at": "2026-03-04T13:00:00.000Z",
        "payload": {"id": "evt_06d3k7q2v8r4x9m1z5c0t7w2ha", "event": "create"},
    }
