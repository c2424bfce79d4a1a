"""Rows of accounts, API keys and resources."""

from typing import Any

from app.core.accounts import Account, ApiKey, Resource, Scope
from app.storage.rows import AnyRow
from app.storage.rows.overlays import overlay, overlay_json


def account_row(account: Account) -> dict[str, Any]:
    """Return the values of an account's row."""
    return {
        "id": account.id,
        "reference": account.reference,
        "name": account.name,
        "language": account.language,
        "enabled": account.enabled,
        "catalogs": account.catalogs,
        "features": account.features,
        "overlay": overlay_json(account.overlay),
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def account(row: AnyRow) -> Account:
    """Return the account of a row."""
    return Account(
        id=row.id,
        reference=row.reference,
        name=row.name,
        language=row.language,
        enabled=row.enabled,
        catalogs=tuple(row.catalogs),
        features=row.features,
        overlay=overlay(row.overlay),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def api_key_row(key: ApiKey) -> dict[str, Any]:
    """Return the values of a key's row."""
    return {
        "id": key.id,
        "scope": key.scope.value,
        "account_id": key.account_id,
        "name": key.name,
        "prefix": key.prefix,
        "digest": key.digest,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def api_key(row: AnyRow) -> ApiKey:
    """Return the key of a row."""
    return ApiKey(
        id=row.id,
        scope=Scope(row.scope),
        account_id=row.account_id,
        name=row.name,
        prefix=row.prefix,
        digest=row.digest,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def resource_row(resource: Resource) -> dict[str, Any]:
    """Return the values of a resource's row."""
    return {
        "account_id": resource.account_id,
        "kind": resource.kind,
        "id": resource.id,
        "label": resource.label,
        "search_text": f"{resource.label}\n{resource.id}".casefold(),
        "attributes": resource.attributes,
    }


def resource(row: AnyRow) -> Resource:
    """Return the resource of a row."""
    return Resource(
        account_id=row.account_id,
        kind=row.kind,
        id=row.id,
        label=row.label,
        attributes=row.attributes,
    )
