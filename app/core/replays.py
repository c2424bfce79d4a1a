"""Replays: jobs that send again what failed, and send at last what was missed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from app.core.ids import AccountId, ReplayId, SubscriptionId

# Deliveries a second, where the subscription says nothing.
USUAL_PACE = 10
# What a job that was kept waiting may catch up on at once.
MOST_CATCHING_UP = timedelta(seconds=10)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"(\d{1,18})\.([a-z]{1,8}_[A-Za-z0-9_-]{1,100})")


class ReplayKind(StrEnum):
    """What a replay sends of a range of time."""

    FAILED = "failed"  # deliveries that failed, again
    MISSED = "missed"  # events that fit the subscription as it is now, and never fired it
    ALL = "all"  # both, and what succeeded once more


class ReplayState(StrEnum):
    """Where a replay stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"  # by a person, or since its subscription has ended


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list that is read oldest first: just after the one of this time and id."""

    moment: datetime
    id: str

    def to_text(self) -> str:
        """Return the place as a short text, safe in a URL."""
        return f"{(self.moment - _EPOCH) // _MICROSECOND}.{self.id}"

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Return the place that `to_text` wrote, or None for any other text."""
        match = _PLACE.fullmatch(text)
        if match is None:
            return None
        try:
            return cls(_EPOCH + int(match[1]) * _MICROSECOND, match[2])
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of time, from ``since`` until just before ``until``."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A job that sends again.

    Attributes:
        found: How many there were to send when it was asked for; at least so many.
        sent: How many it has given to delivery so far.
        place: How far it has come; None at the beginning.
        next_at: When it goes on; None when it is over.
    """

    id: ReplayId
    account_id: AccountId
    subscription_id: SubscriptionId
    span: Span
    only: ReplayKind
    created_at: datetime
    state: ReplayState = ReplayState.RUNNING
    found: int = 0
    sent: int = 0
    place: Place | None = None
    next_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def percent(self) -> int:
        """Return how much of its range of time it has been through, from 0 to 100."""
        if self.state is ReplayState.DONE:
            return 100
        if self.place is None:
            return 0
        through = (self.place.moment - self.span.since) / (self.span.until - self.span.since)
        return int(100 * min(max(through, 0.0), 1.0))

    def allowance(self, now: datetime, *, per_second: int) -> int:
        """Return how many it may send now: a second's worth, and what it could not before."""
        late = min(now - (self.next_at or now), MOST_CATCHING_UP)
        return int(per_second * (1 + max(late.total_seconds(), 0.0)))

    def next_after(self, sent: int, now: datetime, *, per_second: int) -> datetime:
        """Return when it goes on after sending so many."""
        began = max(self.next_at or now, now - MOST_CATCHING_UP)
        return max(began + timedelta(seconds=sent / per_second), now)
