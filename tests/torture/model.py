"""What the state machine knows of the world by itself, to compare the store with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.core.deliveries import FINAL_STATES, DeliveryState

PENDING, SENDING = DeliveryState.PENDING, DeliveryState.SENDING
# docs/state-machine.md, without what a person's redelivery does.
LEGAL = {(PENDING, one) for one in (SENDING, DeliveryState.CANCELLED)} | {
    (SENDING, one) for one in (PENDING, *FINAL_STATES)
}
# A claim that finds a lease run out can end a delivery that is no longer wanted.
LEGAL |= {(PENDING, DeliveryState.FAILED)}


@dataclass
class Sub:
    """A subscription as its owner knows it."""

    id: str
    account: str
    secrets: list[str]
    is_paused: bool = False
    is_over: bool = False

    @property
    def secret(self) -> str:
        return self.secrets[-1]


@dataclass
class Held:
    """A claim that a worker has in its hands."""

    worker: str
    claimed: Any
    prepared: Any

    @property
    def delivery(self) -> str:
        return self.claimed.delivery.id

    @property
    def fence(self) -> int:
        return self.claimed.lease.fence

    def is_live(self, now: datetime) -> bool:
        return self.claimed.lease.expires_at > now


@dataclass
class Model:
    """Everything that was asked for and answered so far."""

    subs: dict[str, Sub] = field(default_factory=dict)
    owed: set[tuple[str, str]] = field(default_factory=set)  # (event, subscription)
    may_be: set[tuple[str, str]] = field(default_factory=set)
    events: dict[str, str] = field(default_factory=dict)  # event → account
    keys: dict[tuple[str, str], str] = field(default_factory=dict)  # (account, key) → event
    held: list[Held] = field(default_factory=list)
    fences: dict[str, int] = field(default_factory=dict)  # the last of each delivery
    bodies: dict[str, bytes] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)  # that were settled, also too late

    def of_account(self, account: str) -> list[Sub]:
        return [one for one in self.subs.values() if one.account == account and not one.is_over]

    def forget_event(self, event: str) -> None:
        """It was pruned."""
        del self.events[event]
        self.owed = {pair for pair in self.owed if pair[0] != event}
        self.may_be = {pair for pair in self.may_be if pair[0] != event}
        self.keys = {key: one for key, one in self.keys.items() if one != event}
