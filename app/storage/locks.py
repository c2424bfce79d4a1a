"""Who waits for whom, where several transactions write at once.

Every transaction takes what it needs in one order, so that none waits in a circle:
an account, then subscriptions, then deliveries, then counters and lanes, each by id. Who
changes a subscription's state takes it alone. Who adds or settles deliveries by that
state takes nothing: should it change in that moment, the next claim puts them right.

An engine with one writer (SQLite) has nothing to lock and is asked nothing.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import BindParameter, Connection, bindparam, select

from app.core.ids import AccountId, DeliveryId, SubscriptionId
from app.storage.parts import in_batches
from app.storage.tables import accounts, deliveries, subscriptions

_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
# One account, alone.
_ACCOUNT = (
    select(accounts.c.id)
    .where(accounts.c.id == bindparam("of_account"))
    .with_for_update(key_share=True)
)
# Some subscriptions, alone, by id.
_SUBSCRIPTIONS = (
    select(subscriptions.c.id)
    .where(subscriptions.c.id.in_(_IDS))
    .order_by(subscriptions.c.id)
    .with_for_update(key_share=True)
)
# Whose some deliveries are.
_OWNERS = select(deliveries.c.subscription_id).where(deliveries.c.id.in_(_IDS)).distinct()


def take_account(connection: Connection, account_id: AccountId) -> None:
    """Let nobody else change what the account has, until the transaction ends."""
    if _has_many_writers(connection):
        connection.execute(_ACCOUNT, {"of_account": account_id})


def hold_subscriptions(
    connection: Connection, subscription_ids: Collection[SubscriptionId]
) -> None:
    """Let nobody else change the subscriptions until the transaction ends."""
    if _has_many_writers(connection):
        for batch in in_batches(sorted(set(subscription_ids))):
            connection.execute(_SUBSCRIPTIONS, {"ids": batch})


def hold_owners(connection: Connection, delivery_ids: Sequence[DeliveryId]) -> None:
    """Let nobody else change the state of the deliveries' subscriptions meanwhile."""
    if not _has_many_writers(connection):
        return
    owners: set[SubscriptionId] = set()
    for batch in in_batches(delivery_ids):
        owners.update(connection.execute(_OWNERS, {"ids": batch}).scalars())
    hold_subscriptions(connection, owners)


def _has_many_writers(connection: Connection) -> bool:
    return connection.dialect.name != "sqlite"
