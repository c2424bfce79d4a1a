"""What the service does by itself: replays, workers, who leads."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from app.storage.columns import Text, UtcTime
from app.storage.tables.base import metadata

# Jobs that send again what failed or was missed; see app/services/replays.py.
replays = Table(
    "replays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("subscription_id", Text, ForeignKey("subscriptions.id"), nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("only", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("found", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("position", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("next_at", UtcTime),
    Column("finished_at", UtcTime),
    # A subscription's replays, newest first.
    Index("ix_replays_subscription", "subscription_id", "id"),
)
# The replays that go on.
Index(
    "ix_replays_next",
    replays.c.next_at,
    sqlite_where=replays.c.next_at.is_not(None),
    postgresql_where=replays.c.next_at.is_not(None),
)

# The workers that were alive lately.
workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("in_flight", Integer, nullable=False),
)

# Who does what only one may do, and until when; see app/storage/leadership.py.
leadership = Table(
    "leadership",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", UtcTime, nullable=False),
)
