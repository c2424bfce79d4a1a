"""Accounts, their keys and resources."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, PrimaryKeyConstraint, Table

from app.storage.columns import JsonText, Text, UtcTime
from app.storage.tables.base import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("catalogs", JsonText, nullable=False),
    Column("features", JsonText, nullable=False),
    Column("overlay", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    # The account with the vendor's own id.
    Index("uq_accounts_reference", "reference", unique=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id")),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("last_used_at", UtcTime),
    # The keys that a request's key may be.
    Index("ix_api_keys_prefix", "prefix"),
    # The keys of an account.
    Index("ix_api_keys_account", "account_id"),
)

resources = Table(
    "resources",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("label", Text, nullable=False),
    # Label and id, case-folded by us: no two engines fold letters beyond ASCII alike.
    Column("search_text", Text, nullable=False),
    Column("attributes", JsonText, nullable=False),
    PrimaryKeyConstraint("account_id", "kind", "id"),
    # A drop-down: the resources of a kind by label.
    Index("ix_resources_label", "account_id", "kind", "label", "id"),
)
