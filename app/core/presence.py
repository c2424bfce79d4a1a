"""How a deployment is told to work: workers are seen, and what is due is sent soon."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# A worker says that it is there every BEAT; one that was not heard of for SILENCE is dead.
BEAT: Final = timedelta(seconds=10)
SILENCE: Final = timedelta(seconds=30)
# What has been due for longer says that somebody should look.
LATE_AFTER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSighting:
    """When a worker was last seen at work.

    Attributes:
        name: Unique among the workers of a deployment; leases carry it too.
        in_flight: How many deliveries it held then, claimed or on the network.
    """

    name: str
    started_at: datetime
    seen_at: datetime
    in_flight: int

    def is_alive_at(self, now: datetime) -> bool:
        """Return whether it was heard of recently enough."""
        return now - self.seen_at < SILENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """How much waits to be delivered, counted up to a bound.

    Attributes:
        due: Deliveries whose time has come.
        waiting: Those whose time is yet to come, and those that are being sent.
        held: Those behind a subscription that is paused or suspended.
        oldest_due_at: Since when a worker could have taken what it could take first now.
            What waits for its own subscription, since that is slow, is not late.
        lanes: Subscriptions whose deliveries wait apart from all the others.
    """

    due: int = 0
    waiting: int = 0
    held: int = 0
    oldest_due_at: datetime | None = None
    lanes: int = 0
