"""Subscriptions, what they hear, their lanes and how they fare."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    literal,
)

from app.storage.columns import JsonText, Text, UtcTime
from app.storage.tables.base import metadata

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("triggers", JsonText, nullable=False),
    Column("target_url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # sealed: app/storage/vault.py
    Column("name", Text, nullable=False),
    Column("resource_ids", JsonText, nullable=False),
    Column("filter", JsonText),
    Column("platform", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("version", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("old_secrets", Text),  # those that still sign, sealed together
    Column("compatible_signatures", JsonText),
    # The handshake: a digest of what the target has to repeat, and until when.
    Column("confirmation", Text),
    Column("confirm_until", UtcTime),
    Column("confirmed_at", UtcTime),
    # How it is delivered: the name of a retry policy; most events in one request, and how
    # long they are gathered; deliveries a second. NULL: as its platform has it.
    Column("retry_policy", Text),
    Column("batching", JsonText),
    Column("per_second", Integer),
)

# Written out in the statement, not bound: only then can an engine prove that a query asks
# for nothing outside a partial index.
LIVE = subscriptions.c.state != literal("ended", literal_execute=True)

# An account's live subscriptions, and the one that an identical request made.
Index(
    "uq_subscriptions_fingerprint",
    subscriptions.c.account_id,
    subscriptions.c.fingerprint,
    unique=True,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)
# An account's live subscriptions, newest first.
Index(
    "ix_subscriptions_account",
    subscriptions.c.account_id,
    subscriptions.c.id,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)
# The subscriptions that their targets have not confirmed, by the end of their time.
UNCONFIRMED = subscriptions.c.state == literal("pending", literal_execute=True)
Index(
    "ix_subscriptions_unconfirmed",
    subscriptions.c.confirm_until,
    sqlite_where=UNCONFIRMED,
    postgresql_where=UNCONFIRMED,
)

# Those that the service suspended, the longest ago first.
SUSPENDED = subscriptions.c.state == literal("suspended", literal_execute=True)
Index(
    "ix_subscriptions_suspended",
    subscriptions.c.updated_at,
    sqlite_where=SUSPENDED,
    postgresql_where=SUSPENDED,
)

# Which live subscriptions hear a trigger: the question of every ingest.
subscription_triggers = Table(
    "subscription_triggers",
    metadata,
    Column("account_id", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("subscription_id", Text, ForeignKey("subscriptions.id"), nullable=False),
    PrimaryKeyConstraint("account_id", "trigger", "subscription_id"),
    # The rows to rewrite when a subscription changes.
    Index("ix_subscription_triggers_subscription", "subscription_id"),
)

# Counters stand apart from the subscription: they change with every batch of deliveries.
subscription_activity = Table(
    "subscription_activity",
    metadata,
    Column("subscription_id", Text, ForeignKey("subscriptions.id"), primary_key=True),
    Column("delivery_count", Integer, nullable=False),
    Column("last_delivery_at", UtcTime),
)

# Where the deliveries of a subscription wait that cannot go with all the others; see
# app/storage/lanes.py. Like the counters, they change with every batch.
lanes = Table(
    "lanes",
    metadata,
    Column("subscription_id", Text, ForeignKey("subscriptions.id"), primary_key=True),
    Column("is_open", Boolean, nullable=False),
    Column("is_held", Boolean, nullable=False),
    Column("is_trickle", Boolean, nullable=False),
    Column("not_before", UtcTime),
    Column("next_at", UtcTime),
)
# Which lanes to look into next.
Index(
    "ix_lanes_next",
    lanes.c.next_at,
    sqlite_where=lanes.c.next_at.is_not(None),
    postgresql_where=lanes.c.next_at.is_not(None),
)

# How attempts went lately, of the subscriptions where not all went well.
subscription_health = Table(
    "subscription_health",
    metadata,
    Column("subscription_id", Text, ForeignKey("subscriptions.id"), primary_key=True),
    Column("failing_since", UtcTime),
    Column("failure_count", Integer, nullable=False),
    Column("window_started_at", UtcTime),
    Column("window_attempts", Integer, nullable=False),
    Column("window_failures", Integer, nullable=False),
    Column("trips", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("off_since", UtcTime),
    Column("quiet_until", UtcTime),
    Column("throttled_since", UtcTime),
    Column("throttled_until", UtcTime),
)
