"""How a worker works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        name: Unique among the workers of a deployment; leases carry it.
        slots: How many deliveries it holds at once, claimed or on the network.
        share: How many of them may be of one subscription, at most.
        batch: How many it claims or settles in one transaction, at most.
        idle_wait_s: How long it trusts the bell before it looks by itself.
        patience_s: How long it lets requests finish once it was asked to stop.
    """

    name: str
    user_agent: str
    slots: int = 512
    share: int = 128
    batch: int = 250
    idle_wait_s: float = 2.0
    patience_s: float = 20.0
