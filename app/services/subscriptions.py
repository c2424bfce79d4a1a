"""What use cases about subscriptions begin and end with: find them, write one."""

from dataclasses import replace

from app.core.errors import FieldProblem, NotFoundError
from app.core.ids import AccountId, SubscriptionId
from app.core.ports import Tx
from app.core.records import Page, SubscriptionQuery
from app.core.subscriptions import Subscription, SubscriptionState
from app.core.target_urls import check_target_url
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


def find_subscriptions(
    context: Context,
    account_id: AccountId,
    query: SubscriptionQuery,
    *,
    limit: int,
    cursor: str | None,
) -> Page[Subscription]:
    """List the account's live subscriptions, newest first.

    A target URL may be spelt as it was when it was subscribed.
    """
    if query.target_url is not None:
        query = replace(query, target_url=_as_stored(context, query.target_url))
    with context.store.read() as tx:
        return tx.subscriptions(account_id, query, limit=limit, cursor=cursor)


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


def _as_stored(context: Context, target_url: str) -> str:
    checked = check_target_url(target_url, context.rules.urls)
    return target_url if isinstance(checked, FieldProblem) else checked.href
