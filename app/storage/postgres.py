"""PostgreSQL: the engine for many machines. Any number of processes read and write.

A transaction that may write is READ COMMITTED: each statement sees what has been
committed before it, and `app.storage.locks` says who waits for whom. One that only reads
is REPEATABLE READ: it sees one moment.
"""

import select
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app.storage.database import AnyTime, Database, DatabaseOptions
from app.storage.postgres_faults import translate_faults

# Of one process; a server allows 100 in all where nobody changed it.
MAX_CONNECTIONS = 16
_MAX_CONNECTION_AGE = timedelta(minutes=30)
# No statement of ours comes near; one that does is lost, or the server is.
_MAX_STATEMENT = timedelta(seconds=60)
_MAX_IDLE_IN_TRANSACTION = timedelta(seconds=60)
# What a URL may say otherwise (?connect_timeout=10). A server that vanished is noticed
# within seconds, not with the system's hours.
_URL_DEFAULTS = {
    "application_name": "relais",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
# Each question walks an index, whatever the values and however much is kept, so one plan
# per statement does. To plan anew for the values of each call costs more than to claim, as
# soon as there are partitions. And a plan made while a table was empty, or a batch large,
# must not read whole tables an hour later.
_PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
}
# Any number that no other program takes for its own: "relais" in ASCII.
_UPGRADE_LOCK = 0x72656C616973


def open_database(url: URL, options: DatabaseOptions) -> Database:
    """Return the database of ``postgresql://user:password@host/name``.

    Whether a commit survives a power cut is the server's own setting
    (``synchronous_commit``), not an option.
    """
    engine = create_engine(
        with_defaults(url),
        poolclass=QueuePool,
        pool_size=MAX_CONNECTIONS,
        max_overflow=0,
        pool_timeout=options.patience.total_seconds(),
        pool_recycle=_MAX_CONNECTION_AGE.total_seconds(),
        pool_use_lifo=True,  # in quiet times a few connections do, the others grow old
        hide_parameters=True,  # what people stored has no place in our error messages
    )
    _prepare_connections(engine, options)
    translate_faults(engine)
    anytime = AnyTime()
    return Database(
        engine, begin=_begin, read_turns=anytime, write_turns=anytime, be_alone=_be_alone
    )


def with_defaults(url: URL) -> URL:
    """Return the URL, with our way of connecting where it names no other."""
    return url.set(query=_URL_DEFAULTS | dict(url.query))


def is_dropped(connection: "psycopg.Connection[Any]") -> bool:
    """Return whether the server has hung up.

    It speaks to an idle connection only to say goodbye, so words that wait there are
    that. Costs a system call, not a round trip.
    """
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _prepare_connections(engine: Engine, options: DatabaseOptions) -> None:
    def prepare(connection: "psycopg.Connection[Any]", _entry: ConnectionPoolEntry) -> None:
        """Set up a new connection. Not in its URL: some poolers refuse options there."""
        for name, value in _session(options).items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        connection.commit()

    def check(
        connection: "psycopg.Connection[Any]", _entry: ConnectionPoolEntry, _proxy: object
    ) -> None:
        """Refuse a connection that died in the pool; the pool then makes a new one."""
        if is_dropped(connection):
            raise DisconnectionError("The server closed this connection.")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "checkout", check)


def _session(options: DatabaseOptions) -> dict[str, str]:
    return {
        "TimeZone": "UTC",
        **_PLANS,
        "lock_timeout": _milliseconds(options.patience),
        "statement_timeout": _milliseconds(_MAX_STATEMENT),
        "idle_in_transaction_session_timeout": _milliseconds(_MAX_IDLE_IN_TRANSACTION),
    }


def _milliseconds(duration: timedelta) -> str:
    return f"{duration.total_seconds() * 1000:.0f}"


def _begin(connection: Connection, *, may_write: bool) -> None:
    """See `Begin`. The driver sends this along with the first statement."""
    driver: Any = connection.connection.driver_connection
    driver.read_only = not may_write
    driver.isolation_level = (
        IsolationLevel.READ_COMMITTED if may_write else IsolationLevel.REPEATABLE_READ
    )


def _be_alone(connection: Connection) -> None:
    """See `BeAlone`. Migrations, and the wait for those of others, take what they take."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
