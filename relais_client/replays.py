"""Replays: send again what failed, send at last what was missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from relais_client.connection import Connection, read
from relais_client.exchange import Call
from relais_client.wire import (
    Json,
    JsonObject,
    parse_optional_time,
    parse_time,
    segment,
    time_text,
    to_bytes,
    without_none,
)

ReplayKind = Literal["failed", "missed", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCount:
    """How many deliveries a replay would send; at least so many, where it ``is_partial``."""

    found: int
    is_partial: bool

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read the answer to a dry run."""
        return cls(found=document["found"], is_partial=document["is_partial"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A job that sends again what failed or was missed.

    Attributes:
        only: ``failed``, ``missed`` or ``all``.
        state: ``running``, ``done`` or ``cancelled``.
        found: How many there were when it was asked for; at least so many.
        sent: How many it has made due so far.
        percent: How much of its range of time it has been through.
    """

    id: str
    subscription_id: str
    since: datetime
    until: datetime
    only: str
    state: str
    found: int
    sent: int
    percent: int
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read a replay."""
        return cls(
            id=document["id"],
            subscription_id=document["subscription_id"],
            since=parse_time(document["since"]),
            until=parse_time(document["until"]),
            only=document["only"],
            state=document["state"],
            found=document["found"],
            sent=document["sent"],
            percent=document["percent"],
            created_at=parse_time(document["created_at"]),
            finished_at=parse_optional_time(document["finished_at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An event that a subscription missed; ``payload`` is what it would have been sent."""

    event_id: str
    event_type: str
    trigger: str
    received_at: datetime
    payload: JsonObject

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Read an entry of the list."""
        return cls(
            event_id=document["event_id"],
            event_type=document["event_type"],
            trigger=document["trigger"],
            received_at=parse_time(document["received_at"]),
            payload=document["payload"],
        )


class ReplayCalls:
    """The calls about replays. ``account``: as for the calls about subscriptions."""

    _connection: Connection

    def count_replay(
        self,
        subscription_id: str,
        *,
        since: datetime,
        until: datetime | None = None,
        only: ReplayKind = "failed",
        account: str | None = None,
    ) -> ReplayCount:
        """Return how much a replay would send; nothing is sent. See `start_replay`."""
        body = _range(since, until) | {"only": only, "dry_run": True}
        call = _post(_path(subscription_id), body, account, repeatable=True)
        return read(ReplayCount.from_json, self._connection.document(call))

    def start_replay(
        self,
        subscription_id: str,
        *,
        since: datetime,
        until: datetime | None = None,
        only: ReplayKind = "failed",
        account: str | None = None,
    ) -> Replay:
        """Send again what failed, was missed, or both and all the rest, of a range of time.

        It goes on by itself, at the subscription's pace; `get_replay` says how far it is.

        Args:
            subscription_id: ``sub_…``; it has to be active.
            since: From this moment on.
            until: Until just before this moment; up to now where left out.
            only: ``failed``, ``missed`` or ``all``.
            account: See the class.

        Raises:
            RefusedError: ``conflict`` where one is running, or the subscription is not active.
            UnreachableError: Whether it was started is unknown: `list_replays` tells.
        """
        body = _range(since, until) | {"only": only}
        call = _post(_path(subscription_id), body, account, repeatable=False)
        return read(Replay.from_json, self._connection.document(call))

    def get_replay(self, replay_id: str, *, account: str | None = None) -> Replay:
        """Return a replay; raises NotFoundError."""
        call = Call(method="GET", path=f"/replays/{segment(replay_id)}", account=account)
        return read(Replay.from_json, self._connection.document(call))

    def list_replays(self, subscription_id: str, *, account: str | None = None) -> Iterator[Replay]:
        """Yield a subscription's replays, newest first, page by page."""
        found = Call(method="GET", path=_path(subscription_id), account=account)
        for document in self._connection.pages_of(found):
            yield read(Replay.from_json, document)

    def cancel_replay(self, replay_id: str, *, account: str | None = None) -> None:
        """Stop a replay; what it has sent stays sent. Harmless where it is over."""
        path = f"/replays/{segment(replay_id)}"
        self._connection.perform(Call(method="DELETE", path=path, account=account))

    def list_missed(
        self,
        subscription_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        account: str | None = None,
    ) -> Iterator[Missed]:
        """Yield what a subscription missed of a range of time, oldest first, page by page."""
        path = f"/subscriptions/{segment(subscription_id)}/missed"
        params = _range(since, until)
        found = Call(method="GET", path=path, params=params, account=account)
        for document in self._connection.pages_of(found):
            yield read(Missed.from_json, document)


def _range(since: datetime | None, until: datetime | None) -> dict[str, Json]:
    return without_none(
        since=since and time_text(since, name="since"),
        until=until and time_text(until, name="until"),
    )


def _post(path: str, body: Json, account: str | None, *, repeatable: bool) -> Call:
    encoded = to_bytes(body)
    return Call(method="POST", path=path, body=encoded, repeatable=repeatable, account=account)


def _path(subscription_id: str) -> str:
    return f"/subscriptions/{segment(subscription_id)}/replays"
