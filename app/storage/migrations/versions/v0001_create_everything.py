"""Create everything.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Microseconds since 1970 in UTC where the engine has no such type.
_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
# Compared byte by byte everywhere.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LIVE = sa.text("state != 'ended'")


def upgrade() -> None:
    """Create everything, parents before children."""
    _create_accounts()
    _create_api_keys()
    _create_events()
    _create_idempotency_records()
    _create_resources()
    _create_subscriptions()
    _create_payloads()
    _create_subscription_activity()
    _create_subscription_triggers()
    _create_deliveries()
    _create_attempts()


def downgrade() -> None:
    """Drop everything, children before parents."""
    for table in (
        "attempts",
        "deliveries",
        "subscription_triggers",
        "subscription_activity",
        "payloads",
        "subscriptions",
        "resources",
        "idempotency_records",
        "events",
        "api_keys",
        "accounts",
    ):
        op.drop_table(table)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("reference", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("language", _TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("catalogs", sa.Text(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("overlay", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_accounts_reference", "accounts", ["reference"], unique=True)


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("scope", _TEXT, nullable=False),
        sa.Column("account_id", _TEXT),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("prefix", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME),
        sa.Column("revoked_at", _TIME),
        sa.Column("last_used_at", _TIME),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_api_keys_account", "api_keys", ["account_id"])
    op.create_index("ix_api_keys_prefix", "api_keys", ["prefix"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("catalog", _TEXT, nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("published_type", _TEXT, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("occurred_at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("actor_role", sa.Integer()),
        sa.Column("actor_id", _TEXT),
        sa.Column("actor_name", _TEXT),
        sa.Column("origin", _TEXT),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("record_id", _TEXT),
        sa.Column("transaction", _TEXT),
        sa.Column("disposition", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_events_account", "events", ["account_id", "received_at", "id"])
    op.create_index("ix_events_received_at", "events", ["received_at"])
    op.create_index("ix_events_record", "events", ["account_id", "record_id", "received_at", "id"])
    op.create_index("ix_events_type", "events", ["account_id", "type", "received_at", "id"])


def _create_idempotency_records() -> None:
    op.create_table(
        "idempotency_records",
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("account_id", "key"),
    )
    op.create_index("ix_idempotency_records_created_at", "idempotency_records", ["created_at"])


def _create_resources() -> None:
    op.create_table(
        "resources",
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("label", _TEXT, nullable=False),
        sa.Column("search_text", _TEXT, nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("account_id", "kind", "id"),
    )
    op.create_index("ix_resources_label", "resources", ["account_id", "kind", "label", "id"])


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("triggers", sa.Text(), nullable=False),
        sa.Column("target_url", _TEXT, nullable=False),
        sa.Column("secret", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("resource_ids", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text()),
        sa.Column("platform", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("state_reason", _TEXT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_subscriptions_account",
        "subscriptions",
        ["account_id", "id"],
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "uq_subscriptions_fingerprint",
        "subscriptions",
        ["account_id", "fingerprint"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )


def _create_payloads() -> None:
    op.create_table(
        "payloads",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("event_id", _TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_payloads_event", "payloads", ["event_id", "id"], unique=True)


def _create_subscription_activity() -> None:
    op.create_table(
        "subscription_activity",
        sa.Column("subscription_id", _TEXT, nullable=False),
        sa.Column("delivery_count", sa.Integer(), nullable=False),
        sa.Column("last_delivery_at", _TIME),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"]),
        sa.PrimaryKeyConstraint("subscription_id"),
    )


def _create_subscription_triggers() -> None:
    op.create_table(
        "subscription_triggers",
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("trigger", _TEXT, nullable=False),
        sa.Column("subscription_id", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"]),
        sa.PrimaryKeyConstraint("account_id", "trigger", "subscription_id"),
    )
    op.create_index(
        "ix_subscription_triggers_subscription", "subscription_triggers", ["subscription_id"]
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("event_id", _TEXT, nullable=False),
        sa.Column("subscription_id", _TEXT, nullable=False),
        sa.Column("trigger", _TEXT, nullable=False),
        sa.Column("payload_id", _TEXT, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("next_attempt_at", _TIME),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("settled_at", _TIME),
        sa.Column("outcome", _TEXT),
        sa.Column("status_code", sa.Integer()),
        sa.Column("worker", _TEXT),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_expires_at", _TIME),
        sa.Column("due_at", _TIME),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (state IN ('pending', 'sending'))", name="ck_deliveries_settled"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["event_id", "payload_id"], ["payloads.event_id", "payloads.id"]),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_deliveries_account", "deliveries", ["account_id", "created_at", "id"])
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_deliveries_event", "deliveries", ["event_id", "payload_id"])
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["subscription_id"],
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_deliveries_subscription", "deliveries", ["subscription_id", "created_at", "id"]
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("delivery_id", _TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("method", _TEXT, nullable=False),
        sa.Column("target_url", _TEXT, nullable=False),
        sa.Column("request_headers", sa.Text(), nullable=False),
        sa.Column("outcome", _TEXT, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("response_headers", sa.Text(), nullable=False),
        sa.Column("response_body", sa.LargeBinary(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("retry_after_seconds", sa.Integer()),
        sa.Column("detail", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attempts_delivery", "attempts", ["delivery_id", "started_at"])
