"""A subscription's health, and what one exchange changes about it.

The circuit breaker, the pauses that a target asks for and the count of its failures are
all here, as functions from one `Health` to the next. What follows for the subscription
is `app.core.weighing`. docs/state-machine.md tells the policy as a story.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.retries import MAX_RETRY_AFTER

# The breaker opens at this share of failures among at least so many attempts in a window.
BREAKER_WINDOW = timedelta(minutes=5)
BREAKER_ATTEMPTS = 10
BREAKER_SHARE = 0.7
# How long it stays open: doubled every time a probe fails, up to the most.
BREAKER_PAUSE = timedelta(seconds=30)
BREAKER_LONGEST_PAUSE = timedelta(minutes=15)
_MOST_DOUBLINGS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """How a subscription's deliveries may go: none before a moment, all or one at a time.

    ``trickle``: one delivery at a time, each a probe of whether the target is well.
    """

    not_before: datetime | None = None
    trickle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is remembered of a subscription's attempts; nothing where all went well.

    Attributes:
        failing_since: The first failure since the last success.
        failure_count: The failures since the last success.
        window_started_at: The failure that began the breaker's window.
        window_attempts: The attempts of the window.
        window_failures: The failures among them.
        trips: How often the breaker opened in a row; 0: it is closed.
        warnings: How many warnings were given since the last success.
        off_since: The first sign that the automation is off, since the last success.
        quiet_until: Until when nothing new is sent, since the breaker is open or the
            automation is off. Stays when it has passed, until a probe says how it went.
        throttled_since: The first answer "later" since the last success.
        throttled_until: Until when the target wants to be left alone.
    """

    failing_since: datetime | None = None
    failure_count: int = 0
    window_started_at: datetime | None = None
    window_attempts: int = 0
    window_failures: int = 0
    trips: int = 0
    warnings: int = 0
    off_since: datetime | None = None
    quiet_until: datetime | None = None
    throttled_since: datetime | None = None
    throttled_until: datetime | None = None

    @property
    def lane(self) -> Lane:
        """Return how the subscription's deliveries may go."""
        pauses = [end for end in (self.quiet_until, self.throttled_until) if end is not None]
        return Lane(not_before=max(pauses, default=None), trickle=self.quiet_until is not None)

    def is_quiet(self, at: datetime) -> bool:
        """Return whether nothing new is sent at this moment.

        An exchange that ends meanwhile was under way when the silence began. It says
        nothing about how the target is afterwards, so it is no probe.
        """
        return self.quiet_until is not None and at < self.quiet_until

    @property
    def is_held(self) -> bool:
        """Return whether everything is held since the automation is off.

        A subscription that was suspended a moment ago is still active to the attempts
        that were claimed before: its health knows better.
        """
        return self.quiet_until is not None and not self.trips


HEALTHY = Health()


def after_success(health: Health, at: datetime) -> Health:
    """Return the health after a success: whatever was counted is forgotten.

    One success closes the breaker. Only a pause that the target asked for goes on, and
    the breaker's window, since a target that fails most of the time is not well.
    """
    if health.is_quiet(at):
        return replace(
            health, failing_since=None, failure_count=0, warnings=0, throttled_since=None
        )
    pause_end = health.throttled_until
    well = Health(throttled_until=pause_end if pause_end is not None and at < pause_end else None)
    if not _is_in_window(health, at):
        return well
    return replace(
        well,
        window_started_at=health.window_started_at,
        window_attempts=health.window_attempts + 1,
        window_failures=health.window_failures,
    )


def after_failure(health: Health, at: datetime) -> Health:
    """Return the health after a failure of the target; the breaker may open."""
    failing = replace(
        health,
        failing_since=health.failing_since or at,
        failure_count=health.failure_count + 1,
    )
    if health.is_quiet(at):
        return failing
    if health.trips:  # a probe failed
        return _tripped(failing, at)
    in_window = _with_failure_in_window(failing, at)
    return _tripped(in_window, at) if _is_too_much(in_window) else in_window


def after_throttle(health: Health, at: datetime, pause: timedelta) -> Health:
    """Return the health after an answer "later": it never shortens a running pause."""
    until = at + min(pause, MAX_RETRY_AFTER)
    return replace(
        health,
        throttled_since=health.throttled_since or at,
        throttled_until=max(until, health.throttled_until or until),
    )


def while_off(health: Health, at: datetime, probe_every: timedelta | None) -> Health:
    """Return the health of an automation that was found switched off (again)."""
    return replace(
        health,
        trips=0,
        off_since=health.off_since or at,
        quiet_until=None if probe_every is None else at + probe_every,
    )


def _is_in_window(health: Health, at: datetime) -> bool:
    began = health.window_started_at
    return began is not None and at - began < BREAKER_WINDOW


def _with_failure_in_window(health: Health, at: datetime) -> Health:
    # The window begins with a failure, so that where all is well nothing is remembered.
    if not _is_in_window(health, at):
        return replace(health, window_started_at=at, window_attempts=1, window_failures=1)
    return replace(
        health,
        window_attempts=health.window_attempts + 1,
        window_failures=health.window_failures + 1,
    )


def _is_too_much(health: Health) -> bool:
    failed_enough = health.window_failures >= BREAKER_SHARE * health.window_attempts
    return health.window_attempts >= BREAKER_ATTEMPTS and failed_enough


def _tripped(health: Health, at: datetime) -> Health:
    pause = BREAKER_PAUSE * 2 ** min(health.trips, _MOST_DOUBLINGS)
    return replace(
        health,
        trips=health.trips + 1,
        quiet_until=at + min(pause, BREAKER_LONGEST_PAUSE),
        window_started_at=None,
        window_attempts=0,
        window_failures=0,
    )
