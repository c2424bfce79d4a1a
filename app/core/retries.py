"""When to try again. Pure: the clock and the dice are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

# The example schedule of Standard Webhooks 1.0: ten attempts over about 76 hours.
STANDARD_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_RETRY_AFTER = timedelta(hours=24)
MIN_JITTER = timedelta(seconds=2)
MAX_JITTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """A named schedule: ``delays[n]`` is the wait after attempt n+1.

    ``own_fault_delay`` is the wait after a fault of ours, which uses up no attempt for
    as long as the delivery is younger than ``patience``.
    """

    name: str = "standard"
    delays: tuple[timedelta, ...] = STANDARD_DELAYS
    own_fault_delay: timedelta = timedelta(seconds=30)
    patience: timedelta = timedelta(days=4)

    def next_attempt_at(
        self, attempts_used: int, *, now: datetime, jitter: float, retry_after_seconds: int | None
    ) -> datetime | None:
        """Return when the next attempt is due, or None when all are used up.

        Jitter is only ever added, so nothing is sent before its time. A target's
        ``Retry-After`` can postpone the attempt, by a day at most, never hasten it.
        """
        if attempts_used > len(self.delays):
            return None
        delay = self.delays[attempts_used - 1]
        spread = min(MAX_JITTER, max(MIN_JITTER, delay / 10))
        wait = delay + spread * jitter
        if retry_after_seconds is not None:
            wait = max(wait, min(timedelta(seconds=retry_after_seconds), MAX_RETRY_AFTER))
        return now + wait

    def pause(self, retry_after_seconds: int | None) -> timedelta:
        """Return how long a target is left alone that asked for a pause."""
        if retry_after_seconds is None:
            return self.own_fault_delay
        return min(timedelta(seconds=retry_after_seconds), MAX_RETRY_AFTER)


STANDARD = RetryPolicy()
# For what nobody wants late, as a code to log in: five attempts within a quarter of an hour.
BRIEF = RetryPolicy(
    name="brief",
    delays=(
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
    ),
    own_fault_delay=timedelta(seconds=10),
    patience=timedelta(hours=1),
)
# For a target that may be down over a long week-end: fourteen attempts over eight days.
PATIENT = RetryPolicy(
    name="patient",
    delays=(*STANDARD_DELAYS, *[timedelta(hours=30)] * 4),
    patience=timedelta(days=9),
)
# For a target that must not be asked twice; a fault of ours is no asking.
ONCE = RetryPolicy(name="once", delays=(), patience=timedelta(days=1))

# What a subscription can choose by name.
POLICIES: Mapping[str, RetryPolicy] = MappingProxyType(
    {policy.name: policy for policy in (STANDARD, BRIEF, PATIENT, ONCE)}
)
