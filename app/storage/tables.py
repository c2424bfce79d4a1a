"""Every table and index, in one place. Portable: no type or clause of one engine only.

`app/storage/migrations` brings databases to this shape; a test compares the two.

What an index costs is paid on every insert, so each one names the question it answers.
Lists are read newest first by (time, id), never by an offset.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    literal,
    text,
)

from app.storage.columns import JsonText, Text, UtcTime

metadata = MetaData()

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
