"""What is asked again and again: remembered for a transaction, or for an account's version."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from app.core import filters, ids
from app.core.accounts import Account
from app.core.filters import Filter
from app.core.ids import AccountId, SubscriptionId
from app.core.ports import Tx
from app.core.shapes import Shape
from app.core.subscriptions import Subscription

OWN_ID_START = f"{ids.ACCOUNT}_"
_MAX_SHAPES = 10_000


@dataclass
class ShapeMemo:
    """Shapes by what they are made of; threads may share one.

    A shape depends on the account's version, so a changed overlay is a new key. When it
    is full it forgets everything: shapes are cheap to make, only not for every event.
    """

    _made: dict[Hashable, Shape] = field(default_factory=dict)

    def get(self, key: Hashable, make: Callable[[], Shape]) -> Shape:
        """Return the shape under ``key``, made by ``make`` the first time."""
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _MAX_SHAPES:
                self._made = {}
            found = self._made[key] = make()
        return found


def account_named(tx: Tx, name: str) -> Account | None:
    """Return the account by our id or the vendor's own, or None.

    No reference begins as our ids do (`app.services.accounts`), so a name is never two
    accounts.
    """
    if name.startswith(OWN_ID_START):
        return tx.account(AccountId(name))
    return tx.account_by_reference(name)


@dataclass
class Lookups:
    """What one transaction has looked up already, for the many events of a batch."""

    tx: Tx
    _accounts: dict[str, Account | None] = field(default_factory=dict)
    _subscriptions: dict[Hashable, tuple[Subscription, ...]] = field(default_factory=dict)
    _filters: dict[SubscriptionId, Filter | None] = field(default_factory=dict)

    def account(self, name: str) -> Account | None:
        """Return the account by our id or the vendor's, or None."""
        if name not in self._accounts:
            self._accounts[name] = account_named(self.tx, name)
        return self._accounts[name]

    def subscriptions_hearing(
        self, account_id: AccountId, triggers: Sequence[str]
    ) -> tuple[Subscription, ...]:
        """Return live subscriptions of the account on any of the triggers."""
        key = (account_id, *triggers)
        if key not in self._subscriptions:
            self._subscriptions[key] = self.tx.subscriptions_hearing(account_id, triggers)
        return self._subscriptions[key]

    def filter_of(self, subscription: Subscription) -> Filter | None:
        """Return the subscription's filter, read once."""
        if subscription.id not in self._filters:
            self._filters[subscription.id] = read_filter_of(subscription)
        return self._filters[subscription.id]


def read_filter_of(subscription: Subscription) -> Filter | None:
    """Return the subscription's filter, read from its stored form."""
    return filters.from_json(subscription.filter)
