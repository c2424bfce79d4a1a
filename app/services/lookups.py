"""What is asked again and again: remembered for a transaction, or for a thing's version."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.core import filters, ids
from app.core.accounts import Account
from app.core.filters import Filter
from app.core.ids import AccountId
from app.core.ports import Tx
from app.core.subscriptions import Subscription

T = TypeVar("T")

OWN_ID_START = f"{ids.ACCOUNT}_"
_MOST_REMEMBERED = 10_000
_ABSENT = object()


@dataclass
class Memo:
    """What was made of stored things, by all that it was made of; threads may share one.

    Keys name versions: a changed account, subscription or catalog is a new key, so that
    nothing in here is ever out of date. When it is full it forgets everything: what it
    remembers is cheap to make, only not for every event.
    """

    _made: dict[Hashable, Any] = field(default_factory=dict)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is under ``key``, made by ``make`` the first time.

        A key stands for one kind of thing; its first part says which.
        """
        found: Any = self._made.get(key, _ABSENT)
        if found is _ABSENT:
            if len(self._made) >= _MOST_REMEMBERED:
                self._made = {}
            found = self._made[key] = make()
        made: T = found
        return made


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
    memo: Memo
    _accounts: dict[str, Account | None] = field(default_factory=dict)
    _subscriptions: dict[Hashable, tuple[Subscription, ...]] = field(default_factory=dict)

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
        """Return the filter of a stored subscription, read once per version."""
        if subscription.filter is None:
            return None
        key = ("filter", subscription.id, subscription.version)
        return self.memo.get(key, lambda: read_filter_of(subscription))


def read_filter_of(subscription: Subscription) -> Filter | None:
    """Return the subscription's filter, read from its stored form."""
    return filters.from_json(subscription.filter)
