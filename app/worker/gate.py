"""What one worker takes of each subscription and host, so that none takes it all.

- A subscription, and a host over all of its subscriptions, has a cap on its deliveries
  under way, which grows with quick answers and shrinks with slow ones.
- Repeated attempts together have at most three quarters of the slots: what goes wrong
  again and again never takes the place of what was not tried yet.
- What a worker has died with before is taken few at a time, at last alone: should it be
  what kills workers, it takes little with it and is soon known.
- A subscription with a pace gets no more per second than that.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from app.core.ids import DeliveryId, SubscriptionId
from app.core.pacing import HOST_CAPS, SUBSCRIPTION_CAPS, AdaptiveCaps, TokenBucket
from app.core.subscriptions import Subscription

_Key = TypeVar("_Key")

# Of all slots, what retries may have.
_RETRY_SHARE = 0.75
# How many deliveries may be under way that were lost so often; more often: one.
_WITH_LOSSES = {1: 32, 2: 8}
_MOST_BUCKETS = 10_000


@lru_cache(maxsize=10_000)
def _host_of(target_url: str) -> str:
    """Return host and port of a stored URL: what listens on another port is another target."""
    return target_url.split("/", 3)[2]


@dataclass(frozen=True, slots=True)
class _Held:
    """A delivery that the worker holds."""

    subscription_id: SubscriptionId
    host: str
    is_retry: bool
    losses: int


class SlotGate:
    """The gate of one worker. See `app.core.ports.Gate`. Not shared between threads."""

    def __init__(
        self,
        slots: int,
        *,
        share: int = SUBSCRIPTION_CAPS.ceiling,
        pace_of: Callable[[Subscription], float | None],
        monotonic: Callable[[], float],
    ) -> None:
        """Make an empty one.

        Args:
            slots: How many deliveries the worker holds at once.
            share: The most of them that one subscription has.
            pace_of: Returns how many a second a subscription is sent at most.
            monotonic: Returns seconds that never go back.
        """
        self._slots = slots
        self._most_retries = max(1, int(slots * _RETRY_SHARE))
        self._pace_of = pace_of
        self._monotonic = monotonic
        self._held: dict[DeliveryId, _Held] = {}
        self._fresh: list[DeliveryId] = []
        self._subscriptions: Counter[SubscriptionId] = Counter()
        self._hosts: Counter[str] = Counter()
        self._retries = 0
        self._losses: Counter[int] = Counter()
        self._caps: AdaptiveCaps[SubscriptionId] = AdaptiveCaps(
            replace(SUBSCRIPTION_CAPS, ceiling=share, start=min(share, SUBSCRIPTION_CAPS.start))
        )
        self._host_caps: AdaptiveCaps[str] = AdaptiveCaps(HOST_CAPS)
        self._buckets: OrderedDict[SubscriptionId, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def full(self) -> Collection[SubscriptionId]:
        """See `Gate`."""
        now = self._monotonic()
        return [
            one for one, count in self._subscriptions.items() if count >= self._caps.limit(one, now)
        ]

    def room(self, subscription: Subscription) -> int:
        """See `Gate`."""
        now = self._monotonic()
        host = _host_of(subscription.target_url)
        return min(
            self._slots - len(self._held),
            self._caps.limit(subscription.id, now) - self._subscriptions[subscription.id],
            self._host_caps.limit(host, now) - self._hosts[host],
        )

    def take(
        self, subscription: Subscription, delivery_id: DeliveryId, *, retries: int, losses: int
    ) -> bool:
        """See `Gate`."""
        is_retry = retries > 0 or losses > 0
        if is_retry and self._retries >= self._most_retries:
            return False
        if losses and self._losses[losses] >= _WITH_LOSSES.get(losses, 1):
            return False
        if self.room(subscription) <= 0 or not self._is_in_pace(subscription):
            return False
        host = _host_of(subscription.target_url)
        self._count_in(delivery_id, _Held(subscription.id, host, is_retry, losses))
        return True

    def pace(self, subscription: Subscription) -> float | None:
        """See `Gate`."""
        return self._pace_of(subscription)

    def ended(self, delivery_id: DeliveryId, *, succeeded: bool) -> None:
        """Count one delivery out; one that is not held is ignored."""
        held = self._held.pop(delivery_id, None)
        if held is None:
            return
        now = self._monotonic()
        self._caps.ended(held.subscription_id, delivery_id, now, succeeded=succeeded)
        self._host_caps.ended(held.host, delivery_id, now, succeeded=succeeded)
        _less(self._subscriptions, held.subscription_id)
        _less(self._hosts, held.host)
        self._retries -= held.is_retry
        if held.losses:
            _less(self._losses, held.losses)

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Count everything out again that is let in meanwhile, should the claim fail."""
        self._fresh.clear()
        try:
            yield
        except BaseException:
            for delivery_id in self._fresh:
                self.ended(delivery_id, succeeded=False)
            raise

    def _count_in(self, delivery_id: DeliveryId, held: _Held) -> None:
        # It was held already where its lease ran out in our hands: once is enough.
        self.ended(delivery_id, succeeded=False)
        now = self._monotonic()
        self._fresh.append(delivery_id)
        self._held[delivery_id] = held
        self._caps.began(held.subscription_id, delivery_id, now)
        self._host_caps.began(held.host, delivery_id, now)
        self._subscriptions[held.subscription_id] += 1
        self._hosts[held.host] += 1
        self._retries += held.is_retry
        if held.losses:
            self._losses[held.losses] += 1

    def _is_in_pace(self, subscription: Subscription) -> bool:
        pace = self._pace_of(subscription)
        if pace is None:
            return True
        now = self._monotonic()
        bucket = self._buckets.get(subscription.id)
        if bucket is None:
            bucket = self._buckets[subscription.id] = TokenBucket(pace, now)
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return bucket.take(now) == 1


def _less(counts: Counter[_Key], key: _Key) -> None:
    """Count one less; forget the key at zero."""
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
