"""What each platform answers in each state. Data: one entry a platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus


class State(StrEnum):
    """What a simulated subscriber is like for now."""

    ON = "on"
    OFF = "off"  # a person has switched the automation off
    DELETED = "deleted"
    THROTTLED = "429"  # too fast, and says when to come back
    THROTTLED_SILENTLY = "429-bare"  # too fast, and says no more
    SLOW = "slow"  # as on, but after a while
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its body with the type that it is sent as, and when to retry."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    retry_after_s: int | None = None


def _json(status: int, body: str) -> Reply:
    return Reply(status, body, "application/json; charset=utf-8")


_NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)
_GONE = Reply(HTTPStatus.GONE)
_TOO_MANY = Reply(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests")
_BROKEN = Reply(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong")

_NOBODY_AT_MAKE = Reply(HTTPStatus.GONE, "There is no scenario listening for this webhook.")
_NOBODY_AT_N8N = _json(
    HTTPStatus.NOT_FOUND,
    '{"code":404,"message":"The requested webhook is not registered.",'
    '"hint":"The workflow must be active for a production URL to run successfully."}',
)
_NOBODY_AT_POWER_AUTOMATE = _json(
    HTTPStatus.BAD_REQUEST,
    '{"error":{"code":"WorkflowTriggerIsNotEnabled",'
    '"message":"The trigger of the workflow is not enabled."}}',
)
_NOBODY_AT_WORKATO = Reply(HTTPStatus.NOT_FOUND)

# On, off, deleted; the other states are the same everywhere.
_REPLIES: Mapping[str, tuple[Reply, Reply, Reply]] = {
    "generic": (_NO_CONTENT, Reply(HTTPStatus.SERVICE_UNAVAILABLE), _GONE),
    "zapier": (_json(HTTPStatus.OK, '{"status":"success"}'), _GONE, _GONE),
    "make": (Reply(HTTPStatus.OK, "Accepted"), _NOBODY_AT_MAKE, _NOBODY_AT_MAKE),
    "n8n": (
        _json(HTTPStatus.OK, '{"message":"Workflow was started"}'),
        _NOBODY_AT_N8N,
        _NOBODY_AT_N8N,
    ),
    "power_automate": (
        Reply(HTTPStatus.ACCEPTED),
        _NOBODY_AT_POWER_AUTOMATE,
        _NOBODY_AT_POWER_AUTOMATE,
    ),
    "workato": (Reply(HTTPStatus.OK), _NOBODY_AT_WORKATO, _NOBODY_AT_WORKATO),
}
SIMULATED = tuple(_REPLIES)


def reply_of(platform: str, state: State) -> Reply:
    """Return what the platform answers in a state; KeyError for a platform not simulated."""
    on, off, deleted = _REPLIES[platform]
    if state is State.OFF:
        return off
    if state is State.DELETED:
        return deleted
    if state in (State.THROTTLED, State.THROTTLED_SILENTLY):
        return _TOO_MANY
    return _BROKEN if state is State.ERROR else on
