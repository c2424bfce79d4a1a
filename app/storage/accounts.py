"""Accounts and API keys in a transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    func,
    insert,
    literal,
    select,
    update,
)

from app.core import ids
from app.core.accounts import Account, ApiKey
from app.core.ids import AccountId, KeyId
from app.core.records import Page
from app.storage.columns import UtcTime
from app.storage.paging import Position, from_cursor, page_of
from app.storage.parts import Part, changes
from app.storage.rows import accounts as rows
from app.storage.tables import accounts, api_keys

# What every request asks is put together once: that takes longer than to answer it.
_ASKED: BindParameter[str] = bindparam("asked")
# One account, by our id or the vendor's own.
_BY_ID = select(accounts).where(accounts.c.id == _ASKED)
_BY_REFERENCE = select(accounts).where(accounts.c.reference == _ASKED)
# The keys that a request's key may be.
_KEYS_BY_PREFIX = select(api_keys).where(api_keys.c.prefix == _ASKED).order_by(api_keys.c.id)


class AccountPart(Part):
    """See `AccountTx`."""

    __slots__ = ()

    def add_account(self, account: Account) -> None:
        """See `AccountTx`."""
        # A new account.
        self.connection.execute(insert(accounts).values(rows.account_row(account)))

    def save_account(self, account: Account) -> None:
        """See `AccountTx`."""
        # Every field of one account.
        statement = update(accounts).where(accounts.c.id == account.id)
        self.connection.execute(statement.values(changes(rows.account_row(account))))

    def account(self, account_id: AccountId) -> Account | None:
        """See `AccountTx`."""
        return self._account(_BY_ID, account_id)

    def account_by_reference(self, reference: str) -> Account | None:
        """See `AccountTx`."""
        return self._account(_BY_REFERENCE, reference)

    def _account(self, statement: Select[Any], asked: str) -> Account | None:
        row = self.connection.execute(statement, {"asked": asked}).one_or_none()
        return rows.account(row) if row else None

    def accounts(self, *, limit: int, cursor: str | None) -> Page[Account]:
        """See `AccountTx`."""
        # Every account after the cursor, by id.
        statement = select(accounts).order_by(accounts.c.id).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(accounts.c.id > from_cursor(cursor, prefix=ids.ACCOUNT).id)
        found = self.connection.execute(statement).all()
        return page_of(
            found, limit=limit, read=rows.account, position=lambda a: Position(a.created_at, a.id)
        )

    def add_key(self, key: ApiKey) -> None:
        """See `AccountTx`."""
        # A new key.
        self.connection.execute(insert(api_keys).values(rows.api_key_row(key)))

    def keys_by_prefix(self, prefix: str) -> tuple[ApiKey, ...]:
        """See `AccountTx`."""
        found = self.connection.execute(_KEYS_BY_PREFIX, {"asked": prefix})
        return tuple(rows.api_key(row) for row in found)

    def keys(self, account_id: AccountId | None) -> tuple[ApiKey, ...]:
        """See `AccountTx`."""
        # The keys of an owner, oldest first.
        statement = select(api_keys).where(_belongs_to(account_id)).order_by(api_keys.c.id)
        return tuple(rows.api_key(row) for row in self.connection.execute(statement))

    def revoke_key(self, key_id: KeyId, *, account_id: AccountId | None, now: datetime) -> bool:
        """See `AccountTx`. A key that was revoked before keeps that time."""
        # One key of this owner, revoked from now on.
        statement = (
            update(api_keys)
            .where(api_keys.c.id == key_id, _belongs_to(account_id))
            .values(revoked_at=func.coalesce(api_keys.c.revoked_at, literal(now, UtcTime)))
        )
        return self.connection.execute(statement).rowcount > 0

    def touch_key(self, key_id: KeyId, now: datetime) -> None:
        """See `AccountTx`."""
        # When one key was last used.
        statement = update(api_keys).where(api_keys.c.id == key_id)
        self.connection.execute(statement.values(last_used_at=now))


def _belongs_to(account_id: AccountId | None) -> ColumnElement[bool]:
    """Return the condition for an account's keys, or the publisher's for None."""
    return (
        api_keys.c.account_id.is_(None)
        if account_id is None
        else (api_keys.c.account_id == account_id)
    )
