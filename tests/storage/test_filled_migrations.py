"""Migrations of a database that is in use: nothing is lost, and what waited goes out."""

import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.command import downgrade
from alembic.command import upgrade as upgrade_to
from sqlalchemy import MetaData, make_url, select

from app.core.health import Lane
from app.core.subscriptions import SubscriptionState
from app.core.timed_ids import first_id
from app.storage import open_store
from app.storage.columns import to_micros
from app.storage.migrate import alembic_config, current_revision, upgrade
from app.storage.vault import Place
from app.system.clock import SystemClock
from tests.builders import ACCOUNT, DAY, MINUTE, NOW, SECRET, a_subscription
from tests.contracts.stores import a_vault
from tests.postgres import postgres

EVENTS = 700
PAUSED = "sub_paused"
ACTIVE = "sub_active"
# The last events wait, each for both subscriptions; the others have been delivered.
WAITING = 50
# Where the statements of an upgrade from 0001 end by kill -9: in 0002, and in 0003.
_MOMENTS = {"sqlite": (6, 25), "postgresql": (6, 45)}
_DIES = """
import os, signal, sys
from sqlalchemy import event
from app.storage import open_store
from app.storage.migrate import upgrade
from tests.contracts.stores import a_vault

url, last = sys.argv[1], int(sys.argv[2])
database = open_store(url, vault=a_vault()).database
count = 0

def die(*_):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(database.engine, "before_cursor_execute", die)
upgrade(database)
print(count)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request, tmp_path):
    """A store of the first revision, filled."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'relais.db'}"
    else:
        url = postgres().new_database(migrated=False)
    with closing(open_store(url, vault=a_vault())) as store:
        migrate(store.database, upgrade_to, "0001")
        fill(store.database)
        yield store
    if request.param == "postgresql":
        postgres().drop(make_url(url).database)


def migrate(database, command, revision):
    with database.upgrading() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command(config, revision)


def fill(database):
    is_sqlite = database.engine.dialect.name == "sqlite"
    tables = reflected(database)

    def at(moment):
        return to_micros(moment) if is_sqlite else moment

    with database.writing() as connection:
        for name, rows in old_rows(at):
            connection.execute(tables[name].insert(), rows)


def old_rows(at):
    """Yield the rows of each table as the first revision had it."""
    times = {"created_at": at(NOW), "updated_at": at(NOW)}
    yield "accounts", [
        {
            "id": ACCOUNT, "reference": "salon-1", "name": 'Salon "Ünï"', "language": "fr",
            "enabled": True, "catalogs": '["bookings"]', "features": "[]", "overlay": "{}", **times,
        }
    ]  # fmt: skip
    yield "api_keys", [
        {
            "id": f"key_{n}", "scope": "account", "account_id": ACCOUNT, "name": "Zapier",
            "prefix": f"rk_{n}", "digest": "0" * 64, "created_at": at(NOW),
        }
        for n in range(20)
    ]  # fmt: skip
    yield "resources", [
        {
            "account_id": ACCOUNT, "kind": "schedule", "id": str(n), "label": f"Massage {n}",
            "search_text": f"massage {n}", "attributes": "{}",
        }
        for n in range(200)
    ]  # fmt: skip
    yield "subscriptions", [subscription(ACTIVE, times), subscription(PAUSED, times)]
    yield (
        "subscription_triggers",
        [
            {"account_id": ACCOUNT, "trigger": "changed_appointment", "subscription_id": one}
            for one in (ACTIVE, PAUSED)
        ],
    )
    yield (
        "subscription_activity",
        [
            {"subscription_id": one, "delivery_count": EVENTS, "last_delivery_at": at(NOW)}
            for one in (ACTIVE, PAUSED)
        ],
    )
    moments = [NOW + n * MINUTE for n in range(EVENTS)]
    yield "events", [event(n, moment, at) for n, moment in enumerate(moments)]
    yield (
        "payloads",
        [
            {"id": an_id("pay", n), "event_id": an_id("evt", n), "body": bytes([n % 256]) * 200}
            for n in range(EVENTS)
        ],
    )
    yield "idempotency_records", [
        {
            "account_id": ACCOUNT, "key": f"order-{n}", "digest": "1" * 64,
            "answer": '{"price":1.50}', "created_at": at(NOW),
        }
        for n in range(300)
    ]  # fmt: skip
    numbered = [(n, one) for n in range(EVENTS) for one in (ACTIVE, PAUSED)]
    yield "deliveries", [delivery(n, one, moments[n], at) for n, one in numbered]
    yield (
        "attempts",
        [attempt(n, one, moments[n], at) for n, one in numbered if n < EVENTS - WAITING],
    )


def an_id(prefix, number, suffix=""):
    """Return an id as it was made then; some are of another maker."""
    if number % 100 == 99:
        return f"{prefix}_zz{number}{suffix}"
    return f"{first_id(prefix, NOW + number * MINUTE)}{suffix}"


def subscription(subscription_id, times):
    place = Place(
        table="subscriptions", column="secret", row_id=subscription_id, account_id=ACCOUNT
    )
    return {
        "id": subscription_id, "account_id": ACCOUNT, "triggers": '["changed_appointment"]',
        "target_url": f"https://hooks.example.com/{subscription_id}",
        "secret": a_vault().seal(SECRET, place=place), "name": "", "resource_ids": "[]",
        "filter": None, "platform": "generic",
        "state": "paused" if subscription_id == PAUSED else "active",
        "state_reason": None, "version": 1, "fingerprint": subscription_id, **times,
    }  # fmt: skip


def event(number, moment, at):
    return {
        "id": an_id("evt", number), "account_id": ACCOUNT, "catalog": "bookings",
        "type": "appointment.create", "published_type": "appointment.create",
        "data": '{"id":12,"price":1.50,"name":"Ünï \\"x\\""}', "occurred_at": at(moment),
        "received_at": at(moment), "actor_role": 3, "notify": True, "disposition": "open",
    }  # fmt: skip


def delivery(number, owner, moment, at):
    waits = number >= EVENTS - WAITING
    return {
        "id": an_id("dlv", number, owner[4:5]), "account_id": ACCOUNT,
        "event_id": an_id("evt", number), "subscription_id": owner,
        "trigger": "changed_appointment", "payload_id": an_id("pay", number),
        "created_at": at(moment), "state": "pending" if waits else "succeeded",
        "next_attempt_at": at(moment) if waits else None, "attempt_count": 0 if waits else 1,
        "settled_at": None if waits else at(moment), "outcome": None if waits else "succeeded",
        "status_code": None if waits else 200, "fence": 0 if waits else 1,
        "due_at": at(moment) if waits and owner == ACTIVE else None,
    }  # fmt: skip


def attempt(number, owner, moment, at):
    return {
        "id": an_id("att", number, owner[4:5]), "delivery_id": an_id("dlv", number, owner[4:5]),
        "number": 1, "started_at": at(moment), "method": "POST",
        "target_url": "https://hooks.example.com/", "request_headers": "[]",
        "outcome": "succeeded", "duration_ms": 3, "status_code": 200, "response_headers": "[]",
        "response_body": bytes([number % 256]), "truncated": False, "detail": "",
    }  # fmt: skip


def reflected(database):
    found = MetaData()
    with database.reading() as connection:
        found.reflect(connection)
    return found.tables


def contents(database, columns=None):
    """Return every row by table, in columns of the first revision; not where it waits."""
    found, names = {}, {}
    tables = reflected(database)
    for name in columns or [one for one in tables if one != "alembic_version"]:
        table = tables[name]
        names[name] = (columns or {}).get(name) or [
            c.name for c in table.columns if c.name != "due_at"
        ]
        picked = [table.c[column] for column in names[name]]
        order = list(table.primary_key) or [table.c.id]
        with database.reading() as connection:
            rows = connection.execute(select(*picked).order_by(*order))
            found[name] = [tuple(row) for row in rows]
    return found, names


def claim(store, now=NOW + 90 * DAY):
    with store.write() as tx:
        return tx.claim_due(worker="w", now=now, lease_until=now + MINUTE, limit=10_000)


def test_an_upgrade_keeps_every_row(old):
    before, columns = contents(old.database)
    assert len(before["deliveries"]) == 2 * EVENTS

    upgrade(old.database)

    after, _ = contents(old.database, columns)
    assert after == before


def test_what_waited_is_delivered_after_an_upgrade(old):
    upgrade(old.database)

    claimed = claim(old)

    assert {one.subscription.id for one in claimed} == {ACTIVE}
    assert len(claimed) == WAITING
    assert all(one.subscription.secret == SECRET for one in claimed)


def test_what_a_pause_held_goes_out_when_it_ends_after_an_upgrade(old):
    upgrade(old.database)
    claim(old)

    resumed = a_subscription(id=PAUSED, state=SubscriptionState.ACTIVE, updated_at=NOW)
    with old.write() as tx:
        tx.save_subscription(resumed, fingerprint=PAUSED)

    assert len(claim(old)) == WAITING
    with old.write() as tx:
        tx.set_lane(PAUSED, Lane(), now=NOW)


def test_old_rows_and_new_ones_are_pruned_alike_after_an_upgrade(old):
    upgrade(old.database)
    later = SystemClock().now() + 90 * DAY

    old.keep_partitions(now=later, retention=10 * DAY)
    with old.write() as tx:
        tx.prune(before=later - 10 * DAY, limit=10_000)

    rows, _ = contents(old.database, {"events": ["id"], "deliveries": ["id"]})
    assert len(rows["events"]) == WAITING


def test_a_downgrade_keeps_every_row(old):
    before, columns = contents(old.database)
    upgrade(old.database)

    migrate(old.database, downgrade, "0001")

    after, _ = contents(old.database, columns)
    assert after == before
    assert current_revision(old.database) == "0001"


@pytest.mark.parametrize("moment", [0, 1])
def test_an_upgrade_that_is_killed_changes_nothing_and_can_be_done_again(old, moment):
    before, columns = contents(old.database)
    dialect, url = old.database.engine.dialect.name, old.database.engine.url
    last = _MOMENTS[dialect][moment]

    ended = subprocess.run(  # noqa: S603 - the command is ours
        [sys.executable, "-c", _DIES, url.render_as_string(hide_password=False), str(last)],
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=60,
        capture_output=True,
    )

    assert ended.returncode == -signal.SIGKILL, ended
    assert current_revision(old.database) == "0001"
    assert contents(old.database, columns)[0] == before
    upgrade(old.database)
    assert contents(old.database, columns)[0] == before
    assert len(claim(old)) == WAITING


def test_the_waiting_days_are_in_the_past():
    """Else the first partition would not hold them."""
    assert NOW + timedelta(minutes=EVENTS) < SystemClock().now()
