"""Lanes: what waits for one subscription waits apart; batches, health, replays, a leader.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Microseconds since 1970 in UTC where the engine has no such type.
_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
# Compared byte by byte everywhere.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


_SUBSCRIPTION_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "old_secrets": _TEXT,
    "compatible_signatures": sa.Text(),
    "confirmation": _TEXT,
    "confirm_until": _TIME,
    "confirmed_at": _TIME,
    "retry_policy": _TEXT,
    "batching": sa.Text(),
    "per_second": sa.Integer(),
}


def upgrade() -> None:
    """Add the columns and tables, and move what was held into its lanes."""
    _create_lanes()
    _create_subscription_health()
    _create_batches()
    _create_replays()
    _create_workers()
    _create_leadership()
    _add_to_deliveries()
    _add_to_subscriptions()
    _move_what_was_held()


def downgrade() -> None:
    """Bring every waiting delivery back into the open, held ones to nowhere, as before."""
    op.execute(
        "UPDATE deliveries SET due_at = lane_at WHERE lane_at IS NOT NULL AND subscription_id"
        " IN (SELECT id FROM subscriptions WHERE state = 'active')"
    )
    for index in ("ix_deliveries_open", "ix_deliveries_lane", "ix_deliveries_batch"):
        op.drop_index(index, "deliveries")
    for column in ("losses", "batch_id", "lane_at"):
        op.drop_column("deliveries", column)
    _index("ix_deliveries_open", "deliveries", ["subscription_id"], "settled_at IS NULL")
    for index in ("ix_subscriptions_unconfirmed", "ix_subscriptions_suspended"):
        op.drop_index(index, "subscriptions")
    for column in _SUBSCRIPTION_COLUMNS:
        op.drop_column("subscriptions", column)
    for table in ("leadership", "workers", "replays", "batches", "subscription_health", "lanes"):
        op.drop_table(table)


def _create_lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("subscription_id", _TEXT, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("is_trickle", sa.Boolean(), nullable=False),
        sa.Column("not_before", _TIME),
        sa.Column("next_at", _TIME),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"]),
        sa.PrimaryKeyConstraint("subscription_id"),
    )
    _index("ix_lanes_next", "lanes", ["next_at"], "next_at IS NOT NULL")


def _create_subscription_health() -> None:
    op.create_table(
        "subscription_health",
        sa.Column("subscription_id", _TEXT, nullable=False),
        sa.Column("failing_since", _TIME),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("window_started_at", _TIME),
        sa.Column("window_attempts", sa.Integer(), nullable=False),
        sa.Column("window_failures", sa.Integer(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("off_since", _TIME),
        sa.Column("quiet_until", _TIME),
        sa.Column("throttled_since", _TIME),
        sa.Column("throttled_until", _TIME),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"]),
        sa.PrimaryKeyConstraint("subscription_id"),
    )


def _create_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("delivery_ids", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_batches_created_at", "batches", ["created_at"])


def _create_replays() -> None:
    op.create_table(
        "replays",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("subscription_id", _TEXT, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("only", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("position", _TEXT),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("next_at", _TIME),
        sa.Column("finished_at", _TIME),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_replays_subscription", "replays", ["subscription_id", "id"])
    _index("ix_replays_next", "replays", ["next_at"], "next_at IS NOT NULL")


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("in_flight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _create_leadership() -> None:
    op.create_table(
        "leadership",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("holder", _TEXT, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _add_to_deliveries() -> None:
    losses = sa.Column("losses", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("deliveries", losses)
    op.add_column("deliveries", sa.Column("batch_id", _TEXT))
    op.add_column("deliveries", sa.Column("lane_at", _TIME))
    op.drop_index("ix_deliveries_open", "deliveries")
    open_columns = ["subscription_id", "due_at"]
    _index("ix_deliveries_open", "deliveries", open_columns, "due_at IS NOT NULL")
    lane_columns = ["subscription_id", "lane_at", "id"]
    _index("ix_deliveries_lane", "deliveries", lane_columns, "lane_at IS NOT NULL")
    _index("ix_deliveries_batch", "deliveries", ["batch_id"], "batch_id IS NOT NULL")


def _add_to_subscriptions() -> None:
    for name, kind in _SUBSCRIPTION_COLUMNS.items():
        op.add_column("subscriptions", sa.Column(name, kind))
    unconfirmed = "state = 'pending'"
    _index("ix_subscriptions_unconfirmed", "subscriptions", ["confirm_until"], unconfirmed)
    suspended = "state = 'suspended'"
    _index("ix_subscriptions_suspended", "subscriptions", ["updated_at"], suspended)


def _move_what_was_held() -> None:
    """Put deliveries of paused and suspended subscriptions, due never so far, into lanes."""
    op.execute(
        "UPDATE deliveries SET lane_at = CASE WHEN state = 'sending' THEN lease_expires_at"
        " ELSE COALESCE(next_attempt_at, created_at) END"
        " WHERE settled_at IS NULL AND due_at IS NULL"
    )
    op.execute(
        "INSERT INTO lanes (subscription_id, is_open, is_held, is_trickle)"
        " SELECT id, state IN ('paused', 'suspended'), state IN ('paused', 'suspended'), false"
        " FROM subscriptions"
    )


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
