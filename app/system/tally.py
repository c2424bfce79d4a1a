"""Counting in one process. See `app.core.metering.Meter`."""

import threading
from bisect import bisect_left
from collections.abc import Mapping

from app.core import metering
from app.core.deliveries import Outcome, OutcomeKind
from app.core.metering import FAMILIES, Family, Kind, Numbers, Series

_MOST_CODES = 100
_OTHER = "other"
_HUNDREDS = 100
# Statuses with a meaning of their own: nobody listens any more; too many at once.
_TELLING = frozenset({410, 429})


class Tally:
    """The numbers of one process, kept in memory.

    A lock guards them: adding to a number is not one step in Python. It is held for less
    than a microsecond.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[Series, list[float]] = {}
        self._attempts: dict[tuple[str, OutcomeKind, int | None], Series] = {}
        self._codes: set[str] = set()

    # What happens, as `Meter` tells it.

    def ingested(self, events: int, seconds: float, *, in_batch: bool) -> None:
        """See `Meter`."""
        self._add(_EVENTS, events)
        self._observe(_BATCHES if in_batch else _SINGLES, seconds)

    def ingest_refused(self, code: str) -> None:
        """See `Meter`."""
        self._add((metering.REFUSALS.name, self._known(code)), 1)

    def claimed(self, deliveries: int, seconds: float) -> None:
        """See `Meter`."""
        self._add(_CLAIMED, deliveries)
        self._observe(_CLAIM_SECONDS, seconds)

    def attempt_ended(self, platform: str, outcome: Outcome) -> None:
        """See `Meter`."""
        key = (platform, outcome.kind, outcome.status_code)
        series = self._attempts.get(key)
        if series is None:
            series = (metering.ATTEMPTS.name, platform, outcome_label(outcome))
            self._attempts[key] = series
        self._add(series, 1)
        self._observe((metering.ATTEMPT_SECONDS.name, platform), outcome.duration_ms / 1000)

    def first_attempt_began(self, seconds: float) -> None:
        """See `Meter`."""
        self._observe(_FIRST_ATTEMPT_SECONDS, seconds)

    def settled(self, attempts: int, seconds: float) -> None:
        """See `Meter`."""
        self._add(_SETTLED, attempts)
        self._observe(_SETTLE_SECONDS, seconds)

    def leases_lost(self, deliveries: int) -> None:
        """See `Meter`."""
        self._add(_LEASES_LOST, deliveries)

    def breaker_opened(self) -> None:
        """See `Meter`."""
        self._add(_BREAKERS, 1)

    def notified(self, kind: str) -> None:
        """See `Meter`."""
        self._add((metering.NOTICES.name, kind), 1)

    def slots(self, used: int, of: int) -> None:
        """See `Meter`."""
        with self._lock:
            self._numbers[_SLOTS_USED] = [used]
            self._numbers[_SLOTS] = [of]

    def job_ran(self, job: str, seconds: float, *, failed: bool) -> None:
        """See `Meter`."""
        self._add((metering.JOB_RUNS.name, job, "failed" if failed else "succeeded"), 1)
        self._observe((metering.JOB_SECONDS.name, job), seconds)

    def close(self) -> None:
        """Nothing to give back."""

    # The numbers.

    def read(self) -> Mapping[Series, Numbers]:
        """See `Meter`: what this process counted."""
        with self._lock:
            return {series: tuple(numbers) for series, numbers in self._numbers.items()}

    def begin_at(self, numbers: Mapping[Series, Numbers]) -> None:
        """Count on from what an earlier process counted; its gauges are of no more use."""
        with self._lock:
            for series, earlier in numbers.items():
                family = FAMILIES.get(series[0])
                if family and family.kind is not Kind.GAUGE and len(earlier) == family.width:
                    now = self._numbers.setdefault(series, [0.0] * family.width)
                    now[:] = [one + other for one, other in zip(now, earlier, strict=True)]

    def _add(self, series: Series, amount: int) -> None:
        with self._lock:
            numbers = self._numbers.get(series)
            if numbers is None:
                self._numbers[series] = [amount]
            else:
                numbers[0] += amount

    def _observe(self, series: Series, seconds: float) -> None:
        family = FAMILIES[series[0]]
        with self._lock:
            numbers = self._numbers.get(series)
            if numbers is None:
                numbers = self._numbers[series] = [0.0] * family.width
            numbers[bisect_left(family.buckets, seconds)] += 1
            numbers[-1] += seconds

    def _known(self, code: str) -> str:
        """Return the code, or another word for one code too many: codes are ours, and few."""
        if code not in self._codes and len(self._codes) >= _MOST_CODES:
            return _OTHER
        self._codes.add(code)
        return code


def outcome_label(outcome: Outcome) -> str:
    """Return an outcome's class: its kind, and for a refusal the hundred of its status."""
    status = outcome.status_code
    if outcome.kind is not OutcomeKind.HTTP_STATUS or status is None:
        return outcome.kind.value
    return f"http_{status}" if status in _TELLING else f"http_{status // _HUNDREDS}xx"


def _only(family: Family) -> Series:
    return (family.name,)


_EVENTS = _only(metering.EVENTS)
_SINGLES = (metering.INGEST_SECONDS.name, "single")
_BATCHES = (metering.INGEST_SECONDS.name, "batch")
_CLAIMED = _only(metering.CLAIMED)
_CLAIM_SECONDS = _only(metering.CLAIM_SECONDS)
_FIRST_ATTEMPT_SECONDS = _only(metering.FIRST_ATTEMPT_SECONDS)
_SETTLED = _only(metering.SETTLED)
_SETTLE_SECONDS = _only(metering.SETTLE_SECONDS)
_LEASES_LOST = _only(metering.LEASES_LOST)
_BREAKERS = _only(metering.BREAKERS)
_SLOTS_USED = _only(metering.SLOTS_USED)
_SLOTS = _only(metering.SLOTS)
