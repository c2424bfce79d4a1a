"""Every table and index, in one place. Portable: no type or clause of one engine only.

`app/storage/migrations` brings databases to this shape; a test compares the two.

What an index costs is paid on every insert, so each one names the question it answers.
Lists are read newest first by (time, id), never by an offset.
"""

from app.storage.tables.accounts import accounts, api_keys, resources
from app.storage.tables.base import metadata
from app.storage.tables.events import (
    attempts,
    batches,
    deliveries,
    events,
    idempotency_records,
    payloads,
)
from app.storage.tables.service import leadership, replays, workers
from app.storage.tables.subscriptions import (
    LIVE,
    SUSPENDED,
    UNCONFIRMED,
    lanes,
    subscription_activity,
    subscription_health,
    subscription_triggers,
    subscriptions,
)

__all__ = [
    "LIVE",
    "SUSPENDED",
    "UNCONFIRMED",
    "accounts",
    "api_keys",
    "attempts",
    "batches",
    "deliveries",
    "events",
    "idempotency_records",
    "lanes",
    "leadership",
    "metadata",
    "payloads",
    "replays",
    "resources",
    "subscription_activity",
    "subscription_health",
    "subscription_triggers",
    "subscriptions",
    "workers",
]
