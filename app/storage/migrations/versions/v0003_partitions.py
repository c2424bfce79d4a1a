"""Partitions by time on PostgreSQL; SQLite stays as it is.

Nothing is copied: each table becomes the first partition of one of its name. Rows are read
once, to prove that they belong there.

Revision ID: 0003
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# What grows without end, children last, and how the ids in it begin.
_TABLES = {"events": "evt", "payloads": "pay", "deliveries": "dlv", "attempts": "att"}
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
# Counters that change with every batch stay in their page, where there is room for it.
_HOT = ("subscription_activity", "lanes")
_HOT_OPTIONS = "fillfactor = 50, autovacuum_vacuum_scale_factor = 0"
_FOREIGN_KEYS = (
    ("events", "account_id", "accounts (id)"),
    ("payloads", "event_id", "events (id)"),
    ("deliveries", "account_id", "accounts (id)"),
    ("deliveries", "event_id, payload_id", "payloads (event_id, id)"),
    ("deliveries", "subscription_id", "subscriptions (id)"),
    ("attempts", "delivery_id", "deliveries (id)"),
)
# What lost its parent when partitions were dropped.
_ORPHANS = (
    ("payloads", "events", "parent.id = child.event_id"),
    ("deliveries", "payloads", "parent.event_id = child.event_id AND parent.id = child.payload_id"),
    ("attempts", "deliveries", "parent.id = child.delivery_id"),
)


def upgrade() -> None:
    """Make what is there the first partition, up to the end of tomorrow."""
    if not _is_postgresql():
        return
    today = op.get_bind().execute(sa.text("SELECT now()")).scalar_one().astimezone(UTC).date()
    end = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=2)
    for table in reversed(_TABLES):
        _drop_foreign_keys(table)
    for table, prefix in _TABLES.items():
        _partition(table, f"{prefix}_{_first_id_part(end)}", last_day=end - timedelta(days=1))
    for table in _HOT:
        op.execute(f"ALTER TABLE {table} SET ({_HOT_OPTIONS})")


def downgrade() -> None:
    """Copy everything into plain tables again, but for rows without a parent."""
    if not _is_postgresql():
        return
    for table in _HOT:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor)")
    for table in _TABLES:
        _unite(table)
    for table, parent, fits in _ORPHANS:
        op.execute(
            f"DELETE FROM {table} child"  # noqa: S608  # our own words
            f" WHERE NOT EXISTS (SELECT FROM {parent} parent WHERE {fits})"
        )
    for table, columns, parent in _FOREIGN_KEYS:
        op.execute(f"ALTER TABLE {table} ADD FOREIGN KEY ({columns}) REFERENCES {parent}")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _first_id_part(moment: datetime) -> str:
    """Return what ids made at the moment begin with; none made before sorts after it.

    Ten digits of 32: the time in ticks of 4,096 nanoseconds. Ids of the first versions had
    milliseconds there: they sort before all others.
    """
    tick = round(moment.timestamp()) * 1_000_000_000 >> 12
    return "".join(_DIGITS[tick >> place & 31] for place in range(45, -1, -5))


def _drop_foreign_keys(table: str) -> None:
    """Drop those that a table has.

    A partition that another table refers to cannot be dropped without reading that
    table; one that refers to another locks that out while it goes. And each row that is
    inserted would lock its account and its subscription, which all processes share.
    """
    for name in _names("SELECT conname FROM pg_constraint WHERE contype = 'f' AND", _of(table)):
        op.drop_constraint(name, table)


def _partition(table: str, end: str, *, last_day: datetime) -> None:
    first = f"{table}_{last_day:%Y%m%d}"
    indexes = _take_names_away(table, first)
    op.rename_table(table, first)
    like = f"(LIKE {first} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    op.execute(f"CREATE TABLE {table} {like} PARTITION BY RANGE (id)")
    op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    # Ids of other makers, and of clocks that are ahead.
    op.execute(
        f"WITH moved AS (DELETE FROM {first} WHERE id >= '{end}' RETURNING *)"  # noqa: S608  # ours
        f" INSERT INTO {table}_default SELECT * FROM moved"
    )
    op.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{end}')"
    )
    # These take over the indexes that the first partition has.
    op.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
    for definition in indexes:
        op.execute(definition)


def _unite(table: str) -> None:
    indexes = _definitions(table)
    like = f"(LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    op.execute(f"CREATE TABLE united {like}")
    op.execute(f"INSERT INTO united SELECT * FROM {table}")  # noqa: S608  # a name of ours
    op.drop_table(table)
    op.rename_table("united", table)
    op.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
    for definition in indexes:
        op.execute(definition)


def _take_names_away(table: str, first: str) -> list[str]:
    """Rename the indexes of a table; return how they are made, but for the primary key."""
    definitions = _definitions(table)
    for name in _names("SELECT indexname FROM pg_indexes WHERE", _called(table)):
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_{first[-8:]}")
    return definitions


def _definitions(table: str) -> list[str]:
    """Return how the indexes of a table are made, but for its primary key."""
    question = "SELECT replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes WHERE"
    return _names(question, f"{_called(table)} AND indexname <> '{table}_pkey'")


def _called(table: str) -> str:
    return f"schemaname = current_schema() AND tablename = '{table}'"


def _of(table: str) -> str:
    return f"conrelid = '{table}'::regclass"


def _names(question: str, condition: str) -> list[str]:
    return list(op.get_bind().exec_driver_sql(f"{question} {condition}").scalars())
