"""A gate that is always open: a claim without one takes whatever is due."""

from collections.abc import Collection

from app.core.ids import DeliveryId, SubscriptionId
from app.core.subscriptions import Subscription

_PLENTY = 1_000_000


class OpenGate:
    """Takes everything. See `app.core.ports.Gate`."""

    def full(self) -> Collection[SubscriptionId]:
        """See `Gate`."""
        return ()

    def room(self, subscription: Subscription) -> int:
        """See `Gate`."""
        del subscription
        return _PLENTY

    def take(
        self, subscription: Subscription, delivery_id: DeliveryId, *, retries: int, losses: int
    ) -> bool:
        """See `Gate`."""
        del subscription, delivery_id, retries, losses
        return True

    def pace(self, subscription: Subscription) -> float | None:
        """See `Gate`."""
        del subscription
        return None


OPEN = OpenGate()
