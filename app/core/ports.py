"""What the use cases need from outside: a store, a clock, dice, and a bell.

Adapters (`app.storage`, `app.transport`, `app.worker`) implement these; `app.factory`
chooses them. The full contract stands here; implementations say "See `Store`."
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from app.core.coordination import LeadershipTx, PresenceTx
from app.core.errors import FieldProblem
from app.core.ids import DeliveryId, SubscriptionId
from app.core.records import PartitionChanges
from app.core.replay_tx import ReplayTx
from app.core.store_parts import AccountTx, DeliveryTx, EventTx, SubscriptionTx
from app.core.subscriptions import Subscription


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""


class Dice(Protocol):
    """Where chance comes from."""

    def new_id(self, prefix: str) -> str:
        """Return a new unguessable id ``<prefix>_…``; later ids sort after earlier ones."""

    def token(self, byte_count: int) -> bytes:
        """Return secure random bytes."""

    def fraction(self) -> float:
        """Return a random number in [0, 1), for jitter."""


class Errands(Protocol):
    """Does bookkeeping that nobody waits for."""

    def run(self, errand: Callable[[], None]) -> None:
        """Run it soon, in order; never blocks. It may be dropped when there is too much."""


class Doorbell(Protocol):
    """Wakes the workers of this deployment when there is something to do."""

    def ring(self) -> None:
        """Wake every worker; never blocks and never fails."""

    def wait(self, timeout_s: float) -> bool:
        """Block until somebody rang since the last wait, or the timeout; say which."""


class Gate(Protocol):
    """How much of each subscription a worker would take now, so that none takes it all.

    A claim asks it; the worker that holds it counts what it holds already.
    """

    def full(self) -> Collection[SubscriptionId]:
        """Return the subscriptions of which it takes nothing now."""

    def room(self, subscription: Subscription) -> int:
        """Return how many more of the subscription's deliveries it takes now."""

    def take(
        self, subscription: Subscription, delivery_id: DeliveryId, *, retries: int, losses: int
    ) -> bool:
        """Count one delivery in and return True, or return False where it has no room.

        ``retries`` are the attempts that it used up, ``losses`` the workers it survived.
        """

    def pace(self, subscription: Subscription) -> float | None:
        """Return how many per second its lane gives out at most; None: no limit."""


class Tx(
    AccountTx, SubscriptionTx, EventTx, DeliveryTx, ReplayTx, LeadershipTx, PresenceTx, Protocol
):
    """One transaction: everything in it happens, or nothing does."""


class Store(Protocol):
    """Where Relais keeps everything.

    `read` gives a consistent view; `write` commits when its block ends and rolls back
    when it raises. Neither may be open across a network call. Raises UnavailableError
    where the database cannot be reached, is locked too long, or its disk is full.
    """

    def read(self) -> AbstractContextManager[Tx]:
        """Open a transaction that only reads."""

    def write(self) -> AbstractContextManager[Tx]:
        """Open a transaction that may write."""

    def keep_partitions(self, *, now: datetime, retention: timedelta) -> PartitionChanges:
        """Make room ahead, and drop whole days that are older and that nothing waits for.

        Does nothing in a store that is not kept in pieces; `DeliveryTx.prune` is for that
        one, and for what has no piece. Asked again, it does what was left to do.
        """

    def ping(self) -> None:
        """Raise UnavailableError unless a trivial read works."""

    def problems(self, *, now: datetime) -> tuple[FieldProblem, ...]:
        """Return what keeps the store from being written, tried out; never raises ours."""

    def close(self) -> None:
        """Release connections."""
