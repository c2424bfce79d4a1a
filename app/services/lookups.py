"""What is asked again and again: remembered for a transaction, or for an account's version."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from app.core.accounts import Account
from app.core.ids import AccountId
from app.core.ports import Tx
from app.core.shapes import Shape
from app.core.subscriptions import Subscription

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


@dataclass
class Lookups:
    """What one transaction has looked up already, for the many events of a batch."""

    tx: Tx
    _accounts: dict[str, Account | None] = field(default_factory=dict)
    _subscriptions: dict[Hashable, tuple[Subscription, ...]] = field(default_factory=dict)

    def account(self, name: str) -> Account | None:
        """Return the account by the vendor's id or ours, or None."""
        if name not in self._accounts:
            found = self.tx.account_by_reference(name) or self.tx.account(AccountId(name))
            self._accounts[name] = found
        return self._accounts[name]

    def subscriptions_hearing(
        self, account_id: AccountId, triggers: Sequence[str]
    ) -> tuple[Subscription, ...]:
        """Return live subscriptions of the account on any of the triggers."""
        key = (account_id, *triggers)
        if key not in self._subscriptions:
            self._subscriptions[key] = self.tx.subscriptions_hearing(account_id, triggers)
        return self._subscriptions[key]
