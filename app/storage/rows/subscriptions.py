"""Rows of subscriptions. Their secrets are sealed on the way in, opened on the way out."""

from typing import Any

from app.core.ids import AccountId, SubscriptionId
from app.core.subscriptions import StateReason, Subscription, SubscriptionState
from app.storage.rows import AnyRow
from app.storage.vault import Place, Vault


def secret_place(subscription_id: SubscriptionId, account_id: AccountId) -> Place:
    """Return the place that a subscription's sealed secret is bound to."""
    return Place(
        table="subscriptions", column="secret", row_id=subscription_id, account_id=account_id
    )


def subscription_row(
    subscription: Subscription, *, fingerprint: str, vault: Vault
) -> dict[str, Any]:
    """Return the values of a subscription's row."""
    place = secret_place(subscription.id, subscription.account_id)
    reason = subscription.state_reason
    return {
        "id": subscription.id,
        "account_id": subscription.account_id,
        "triggers": subscription.triggers,
        "target_url": subscription.target_url,
        "secret": vault.seal(subscription.secret, place=place),
        "name": subscription.name,
        "resource_ids": subscription.resource_ids,
        "filter": subscription.filter,
        "platform": subscription.platform,
        "state": subscription.state.value,
        "state_reason": reason.value if reason else None,
        "version": subscription.version,
        "fingerprint": fingerprint,
        "created_at": subscription.created_at,
        "updated_at": subscription.updated_at,
    }


def subscription(row: AnyRow, *, vault: Vault) -> Subscription:
    """Return the subscription of a row; raises VaultError where its secret cannot be opened."""
    return Subscription(
        id=row.id,
        account_id=row.account_id,
        triggers=tuple(row.triggers),
        target_url=row.target_url,
        secret=vault.open(row.secret, place=secret_place(row.id, row.account_id)),
        name=row.name,
        resource_ids=tuple(row.resource_ids),
        filter=row.filter,
        platform=row.platform,
        state=SubscriptionState(row.state),
        state_reason=StateReason(row.state_reason) if row.state_reason else None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
