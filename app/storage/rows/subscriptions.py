"""Rows of subscriptions. Their secrets are sealed on the way in, opened on the way out."""

from collections.abc import Sequence
from typing import Any

from app.core import jsontext
from app.core.batching import Batching
from app.core.compatible_signatures import CompatibleSignature
from app.core.ids import AccountId, SubscriptionId
from app.core.jsontypes import JsonObject
from app.core.signing_secrets import OldSecret
from app.core.subscriptions import Confirmation, StateReason, Subscription, SubscriptionState
from app.storage.columns import from_micros, to_micros
from app.storage.rows import AnyRow
from app.storage.vault import Place, Vault

# The columns that hold sealed texts: sealing anew goes through all of them.
SEALED = ("secret", "old_secrets")


def secret_place(
    subscription_id: SubscriptionId, account_id: AccountId, *, column: str = "secret"
) -> Place:
    """Return the place that a subscription's sealed text, one of `SEALED`, is bound to."""
    return Place(
        table="subscriptions", column=column, row_id=subscription_id, account_id=account_id
    )


def subscription_row(
    subscription: Subscription, *, fingerprint: str, vault: Vault
) -> dict[str, Any]:
    """Return the values of a subscription's row."""
    place = secret_place(subscription.id, subscription.account_id)
    reason, confirmation = subscription.state_reason, subscription.confirmation
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
        "old_secrets": _sealed_old_secrets(subscription, vault),
        "compatible_signatures": subscription.compatible_signatures or None,
        "confirmation": confirmation.digest if confirmation else None,
        "confirm_until": confirmation.until if confirmation else None,
        "confirmed_at": subscription.confirmed_at,
        "retry_policy": subscription.retry_policy,
        "per_second": subscription.per_second,
        "batching": _batching_json(subscription.batching),
    }


def subscription(row: AnyRow, *, vault: Vault) -> Subscription:
    """Return the subscription of a row; raises VaultError where its secrets cannot be opened."""
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
        retry_policy=row.retry_policy,
        per_second=row.per_second,
        batching=Batching(**row.batching) if row.batching else None,
        old_secrets=_old_secrets(row, vault) if row.old_secrets else (),
        compatible_signatures=_compatible_signatures(row.compatible_signatures or ()),
        confirmation=_confirmation(row),
        confirmed_at=row.confirmed_at,
    )


def _sealed_old_secrets(subscription: Subscription, vault: Vault) -> str | None:
    if not subscription.old_secrets:
        return None
    written = [[old.secret, to_micros(old.signs_until)] for old in subscription.old_secrets]
    return vault.seal(jsontext.encode(written).decode(), place=_old_place(subscription))


def _old_secrets(row: AnyRow, vault: Vault) -> tuple[OldSecret, ...]:
    opened = jsontext.decode(vault.open(row.old_secrets, place=_old_place(row)).encode())
    return tuple(
        OldSecret(secret=secret, signs_until=from_micros(until)) for secret, until in opened
    )


def _old_place(owner: AnyRow | Subscription) -> Place:
    return secret_place(owner.id, owner.account_id, column="old_secrets")


def _compatible_signatures(keys: Sequence[str]) -> tuple[CompatibleSignature, ...]:
    return tuple(CompatibleSignature(key) for key in keys)


def _confirmation(row: AnyRow) -> Confirmation | None:
    if row.confirmation is None:
        return None
    return Confirmation(digest=row.confirmation, until=row.confirm_until)


def _batching_json(batching: Batching | None) -> JsonObject | None:
    if batching is None:
        return None
    return {"max_events": batching.max_events, "max_age_seconds": batching.max_age_seconds}
