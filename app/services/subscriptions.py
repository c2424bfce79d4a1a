"""What every use case about one subscription begins and ends with: find it, write it."""

from dataclasses import replace

from app.core.errors import NotFoundError
from app.core.ids import AccountId, SubscriptionId
from app.core.ports import Tx
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context
from app.services.wishes import CheckedWish, fingerprint_of


def find_subscription(
    context: Context, account_id: AccountId, subscription_id: str
) -> Subscription:
    """Return a live subscription of the account; raises NotFoundError."""
    with context.store.read() as tx:
        return require_subscription(tx, account_id, subscription_id)


def require_subscription(tx: Tx, account_id: AccountId, subscription_id: str) -> Subscription:
    """Return a live subscription of the account; raises NotFoundError.

    The answer for another account's id is the same as for one that never was.
    """
    found = tx.subscription(SubscriptionId(subscription_id))
    if found is None or found.account_id != account_id or found.state is SubscriptionState.ENDED:
        raise NotFoundError("There is no subscription with this id.")
    return found


def save_changed(context: Context, tx: Tx, after: Subscription) -> Subscription:
    """Write a subscription that asks for what it asked for before, and return it as it is now."""
    saved = replace(after, updated_at=context.clock.now(), version=after.version + 1)
    checked = CheckedWish(
        triggers=saved.triggers,
        target_url=saved.target_url,
        resource_ids=saved.resource_ids,
        filter=saved.filter,
        platform=saved.platform,
    )
    tx.save_subscription(saved, fingerprint=fingerprint_of(checked))
    return saved
