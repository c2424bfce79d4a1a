"""What a settled batch of attempts means for the metrics."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from app.core.metering import Meter
from app.core.weighing import Consequence
from app.services.deliver import EndedAttempt
from app.services.settle import Settled

_SECOND = timedelta(seconds=1)


def count_settled(
    meter: Meter, ended: Sequence[EndedAttempt], settled: Settled, *, seconds: float
) -> None:
    """Count attempts whose ends were written in so many seconds, and what followed."""
    meter.settled(len(ended), seconds)
    for one in ended:
        claimed = one.prepared.claimed
        meter.attempt_ended(claimed.subscription.platform, one.outcome)
        delivery = claimed.delivery
        # Neither a retry nor a delivery that a person sends again.
        if delivery.attempt_count == 0 and delivery.next_attempt_at == delivery.created_at:
            since = (one.ended_at - delivery.created_at) / _SECOND
            meter.first_attempt_began(max(0.0, since - one.outcome.duration_ms / 1000))
    if settled.lost:
        meter.leases_lost(len(settled.lost))
    _count_openings(meter, settled.consequences.values())


def _count_openings(meter: Meter, consequences: Iterable[Consequence]) -> None:
    for one in consequences:
        if one.health.trips and one.lane is not None and one.lane.trickle:
            meter.breaker_opened()
