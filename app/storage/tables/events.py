"""Events and what became of them: payloads, deliveries, attempts."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    text,
)

from app.storage.columns import JsonText, Text, UtcTime
from app.storage.tables.base import metadata

events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("catalog", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("published_type", Text, nullable=False),
    Column("data", JsonText, nullable=False),
    Column("occurred_at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("actor_role", Integer),
    Column("actor_id", Text),
    Column("actor_name", Text),
    Column("origin", Text),
    Column("notify", Boolean, nullable=False),
    Column("record_id", Text),
    Column("transaction", Text),
    Column("disposition", Text, nullable=False),
    # An account's events, newest first.
    Index("ix_events_account", "account_id", "received_at", "id"),
    # Those of one type, for samples and polling.
    Index("ix_events_type", "account_id", "type", "received_at", "id"),
    # Events old enough to prune.
    Index("ix_events_received_at", "received_at"),
    # What happened to one record.
    Index("ix_events_record", "account_id", "record_id", "received_at", "id"),
)

payloads = Table(
    "payloads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event_id", Text, ForeignKey("events.id"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    # The payloads of a pruned event; unique so that deliveries can refer to it.
    Index("uq_payloads_event", "event_id", "id", unique=True),
)

idempotency_records = Table(
    "idempotency_records",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("answer", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("account_id", "key"),
    # Records old enough to prune.
    Index("ix_idempotency_records_created_at", "created_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("subscription_id", Text, ForeignKey("subscriptions.id"), nullable=False),
    Column("trigger", Text, nullable=False),
    Column("payload_id", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("next_attempt_at", UtcTime),
    Column("attempt_count", Integer, nullable=False),
    Column("settled_at", UtcTime),
    Column("outcome", Text),
    Column("status_code", Integer),
    # The lease of the last claim; `fence` counts the claims.
    Column("worker", Text),
    Column("fence", Integer, nullable=False),
    Column("lease_expires_at", UtcTime),
    # How often a worker claimed it and was never heard of again.
    Column("losses", Integer, nullable=False, server_default=text("0")),
    # The deliveries that one request carries, where its subscription batches.
    Column("batch_id", Text),
    # When a claim may take it, from the open or from its subscription's lane: one of the
    # two until it is settled, see app/storage/lanes.py.
    Column("due_at", UtcTime),
    Column("lane_at", UtcTime),
    CheckConstraint(
        "(settled_at IS NULL) = (state IN ('pending', 'sending'))", name="ck_deliveries_settled"
    ),
    # A payload of the same event. One key for both, as deleting a payload looks for its
    # deliveries: `ix_deliveries_event` answers that, an index on payload_id alone would
    # be one more to write.
    ForeignKeyConstraint(["event_id", "payload_id"], ["payloads.event_id", "payloads.id"]),
    # An account's log, newest first, by range of dates.
    Index("ix_deliveries_account", "account_id", "created_at", "id"),
    # A subscription's log.
    Index("ix_deliveries_subscription", "subscription_id", "created_at", "id"),
    # What an event led to.
    Index("ix_deliveries_event", "event_id", "payload_id"),
)

# What to claim next in the open: holds only what waits its turn, so it stays small for ever.
_IN_THE_OPEN = deliveries.c.due_at.is_not(None)
Index(
    "ix_deliveries_due",
    deliveries.c.due_at,
    sqlite_where=_IN_THE_OPEN,
    postgresql_where=_IN_THE_OPEN,
)
# The same of one subscription: to move it to its lane, to cancel it.
Index(
    "ix_deliveries_open",
    deliveries.c.subscription_id,
    deliveries.c.due_at,
    sqlite_where=_IN_THE_OPEN,
    postgresql_where=_IN_THE_OPEN,
)
# What waits in a lane, in the order in which it leaves.
_IN_A_LANE = deliveries.c.lane_at.is_not(None)
Index(
    "ix_deliveries_lane",
    deliveries.c.subscription_id,
    deliveries.c.lane_at,
    deliveries.c.id,
    sqlite_where=_IN_A_LANE,
    postgresql_where=_IN_A_LANE,
)

# The batch that a delivery goes in: who goes with it, where one is pruned.
_IN_A_BATCH = deliveries.c.batch_id.is_not(None)
Index(
    "ix_deliveries_batch",
    deliveries.c.batch_id,
    sqlite_where=_IN_A_BATCH,
    postgresql_where=_IN_A_BATCH,
)

# Which deliveries one request carried, in the order of its body; see app/storage/batches.py.
batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("delivery_ids", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # Batches old enough to prune.
    Index("ix_batches_created_at", "created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("delivery_id", Text, ForeignKey("deliveries.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("method", Text, nullable=False),
    Column("target_url", Text, nullable=False),
    Column("request_headers", JsonText, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("status_code", Integer),
    Column("response_headers", JsonText, nullable=False),
    Column("response_body", LargeBinary, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("retry_after_seconds", Integer),
    Column("detail", Text, nullable=False),
    # A delivery's attempts, oldest first.
    Index("ix_attempts_delivery", "delivery_id", "started_at"),
)
