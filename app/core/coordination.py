"""What the processes of a deployment tell each other through the store."""

from datetime import datetime
from typing import Protocol

from app.core.presence import QueueDepth, WorkerSighting


class LeadershipTx(Protocol):
    """Who does what only one may do, in a transaction."""

    def take_lead(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Take or renew the lead of this name until then; False where another has it.

        It can be taken where nobody has it, where it has run out, or by its holder. One
        that lasts longer than two such leads was made by a clock that was wrong.
        """

    def resign_lead(self, name: str, *, holder: str) -> None:
        """Give the lead up, where this holder has it."""


class PresenceTx(Protocol):
    """Who is at work, and on how much, in a transaction."""

    def see_worker(self, seen: WorkerSighting) -> None:
        """Remember a worker as it is now, in place of what was known of it."""

    def workers(self, *, limit: int) -> tuple[WorkerSighting, ...]:
        """Return workers, those seen last first."""

    def forget_worker(self, name: str) -> None:
        """Forget one that stopped; harmless where it is not known."""

    def forget_workers(self, *, unseen_since: datetime) -> int:
        """Forget those that were last seen before then; return how many."""

    def queue_depth(self, *, now: datetime) -> QueueDepth:
        """Return how much waits to be delivered; counts stop at a bound of the store's own."""
