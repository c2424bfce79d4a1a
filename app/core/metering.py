"""What is counted, in which words, and who counts it.

`FAMILIES` is the whole list of what every process counts; docs/operations.md explains it.
No label can have a value that people choose, and none names a tenant, a URL or a payload.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from app.core.deliveries import Outcome

# A family's name, then the values of its labels in their order.
Series: TypeAlias = tuple[str, ...]
# One number of a counter or gauge; of a histogram: a count per bucket, of those above all
# buckets, and the sum.
Numbers: TypeAlias = Sequence[float]


class Kind(StrEnum):
    """What a family's numbers do: only grow, go up and down, or spread over buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One thing that is measured; ``buckets`` are the upper bounds of a histogram."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Return how many numbers one series of it has."""
        return len(self.buckets) + 2 if self.kind is Kind.HISTOGRAM else 1


_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_EXCHANGE: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
_WAIT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)


def _counter(name: str, help_text: str, *labels: str) -> Family:
    return Family(name=name, kind=Kind.COUNTER, help=help_text, labels=labels)


def _gauge(name: str, help_text: str, *labels: str) -> Family:
    return Family(name=name, kind=Kind.GAUGE, help=help_text, labels=labels)


def _histogram(name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Family:
    return Family(name=name, kind=Kind.HISTOGRAM, help=help_text, labels=labels, buckets=buckets)


EVENTS: Final = _counter("relais_ingest_events_total", "Events that were accepted.")
REFUSALS: Final = _counter(
    "relais_ingest_refusals_total", "Publish requests that were refused, by code.", "code"
)
INGEST_SECONDS: Final = _histogram(
    "relais_ingest_seconds",
    "From the read request to the commit, by how it was published.",
    _QUICK,
    "how",
)
CLAIMED: Final = _counter("relais_claimed_deliveries_total", "Deliveries that workers claimed.")
CLAIM_SECONDS: Final = _histogram("relais_claim_seconds", "How long a claim took.", _QUICK)
ATTEMPTS: Final = _counter(
    "relais_attempts_total",
    "Attempts that ended, by the target's platform and what they came to.",
    "platform",
    "outcome",
)
ATTEMPT_SECONDS: Final = _histogram(
    "relais_attempt_seconds",
    "From the start of an attempt to its end, by the target's platform.",
    _EXCHANGE,
    "platform",
)
FIRST_ATTEMPT_SECONDS: Final = _histogram(
    "relais_first_attempt_seconds",
    "From the acceptance of an event to the start of a delivery's first attempt.",
    _WAIT,
)
SETTLED: Final = _counter("relais_settled_attempts_total", "Attempts whose end was written.")
SETTLE_SECONDS: Final = _histogram(
    "relais_settle_seconds", "How long it took to write the ends of a batch of attempts.", _QUICK
)
LEASES_LOST: Final = _counter(
    "relais_leases_lost_total", "Attempts that ended after another worker had taken over."
)
BREAKERS: Final = _counter(
    "relais_breaker_openings_total", "How often a failing subscription was given a break."
)
NOTICES: Final = _counter(
    "relais_notices_total", "What befell subscriptions and the queue, by kind.", "kind"
)
SLOTS_USED: Final = _gauge("relais_worker_slots_used", "Deliveries that workers hold now.")
SLOTS: Final = _gauge("relais_worker_slots", "Deliveries that workers can hold at once.")
JOB_RUNS: Final = _counter(
    "relais_job_runs_total", "Runs of periodic jobs, by job and result.", "job", "result"
)
JOB_SECONDS: Final = _histogram(
    "relais_job_seconds", "How long periodic jobs took.", (*_EXCHANGE, 60.0, 300.0), "job"
)

FAMILIES: Final[Mapping[str, Family]] = {
    one.name: one
    for one in (
        EVENTS,
        REFUSALS,
        INGEST_SECONDS,
        CLAIMED,
        CLAIM_SECONDS,
        ATTEMPTS,
        ATTEMPT_SECONDS,
        FIRST_ATTEMPT_SECONDS,
        SETTLED,
        SETTLE_SECONDS,
        LEASES_LOST,
        BREAKERS,
        NOTICES,
        SLOTS_USED,
        SLOTS,
        JOB_RUNS,
        JOB_SECONDS,
    )
}


class Meter(Protocol):
    """Counts what happens. Every method is for hot paths: a microsecond or two, no errors.

    Durations are in seconds. Threads may share one.
    """

    def ingested(self, events: int, seconds: float, *, in_batch: bool) -> None:
        """Count one publish request that was accepted, and its events."""

    def ingest_refused(self, code: str) -> None:
        """Count one publish request that was refused with a stable code of ours."""

    def claimed(self, deliveries: int, seconds: float) -> None:
        """Count one claim, also one that found nothing."""

    def attempt_ended(self, platform: str, outcome: Outcome) -> None:
        """Count one attempt on a target of a platform of `app.platforms`."""

    def first_attempt_began(self, seconds: float) -> None:
        """Count one delivery's first attempt, so long after its event was accepted."""

    def settled(self, attempts: int, seconds: float) -> None:
        """Count one batch of attempts whose ends were written."""

    def leases_lost(self, deliveries: int) -> None:
        """Count deliveries that were no longer ours when their attempts ended."""

    def breaker_opened(self) -> None:
        """Count one failing subscription that is left alone for a while."""

    def notified(self, kind: str) -> None:
        """Count one notice of a kind of `app.core.notices`."""

    def slots(self, used: int, of: int) -> None:
        """Say how much this worker holds, and how much it could."""

    def job_ran(self, job: str, seconds: float, *, failed: bool) -> None:
        """Count one run of a periodic job."""

    def read(self) -> Mapping[Series, Numbers]:
        """Return what the processes that share this meter's folder counted, added up."""


class NoMeter:
    """Counts nothing. See `Meter`."""

    def ingested(self, events: int, seconds: float, *, in_batch: bool) -> None:
        """See `Meter`."""

    def ingest_refused(self, code: str) -> None:
        """See `Meter`."""

    def claimed(self, deliveries: int, seconds: float) -> None:
        """See `Meter`."""

    def attempt_ended(self, platform: str, outcome: Outcome) -> None:
        """See `Meter`."""

    def first_attempt_began(self, seconds: float) -> None:
        """See `Meter`."""

    def settled(self, attempts: int, seconds: float) -> None:
        """See `Meter`."""

    def leases_lost(self, deliveries: int) -> None:
        """See `Meter`."""

    def breaker_opened(self) -> None:
        """See `Meter`."""

    def notified(self, kind: str) -> None:
        """See `Meter`."""

    def slots(self, used: int, of: int) -> None:
        """See `Meter`."""

    def job_ran(self, job: str, seconds: float, *, failed: bool) -> None:
        """See `Meter`."""

    def read(self) -> Mapping[Series, Numbers]:
        """See `Meter`."""
        return {}
