"""The vendor's own account, to which Relais's operational events belong.

It is made when a publisher key first asks for it; until then nobody can have subscribed to
an operational event, and none is kept.
"""

from app.core import ids
from app.core.accounts import OPERATIONS_REFERENCE, Account
from app.core.catalogs import OPERATIONS
from app.core.errors import ConflictError
from app.core.ids import AccountId
from app.core.ports import Tx
from app.services.context import Context


def operations_account(context: Context) -> Account:
    """Return the account of operational events; the first time, make it."""
    with context.store.read() as tx:
        found = existing_operations_account(tx)
    return found or _made(context)


def existing_operations_account(tx: Tx) -> Account | None:
    """Return the account of operational events, or None where nobody asked for it yet."""
    return tx.account_by_reference(OPERATIONS_REFERENCE)


def _made(context: Context) -> Account:
    now = context.clock.now()
    account = Account(
        id=AccountId(context.dice.new_id(ids.ACCOUNT)),
        reference=OPERATIONS_REFERENCE,
        name="Relais operations",
        created_at=now,
        updated_at=now,
        catalogs=(OPERATIONS,),
    )
    try:
        with context.store.write() as tx:
            tx.add_account(account)
    except ConflictError:  # another process was quicker
        with context.store.read() as tx:
            account = existing_operations_account(tx) or account
    return account
