"""Partitions by time: which question reads which, when they are made, and when they go."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import make_url, text

from app.core.deliveries import DeliveryState, Lease
from app.core.health import Lane
from app.core.records import ClaimedDelivery
from app.core.timed_ids import first_id
from app.storage import open_store, partitions
from app.system.clock import SystemClock
from app.system.dice import SystemDice
from tests.builders import (
    ACCOUNT,
    DAY,
    MINUTE,
    SECOND,
    SUBSCRIPTION,
    a_delivery,
    a_payload,
    a_settlement,
    a_subscription,
    an_account,
    an_attempt,
    an_event,
    retried,
)
from tests.contracts.stores import a_vault, memory_store
from tests.postgres import postgres
from tests.storage.statements import recorded

TABLES = ("attempts", "deliveries", "payloads", "events")
RETENTION = 10 * DAY
# The first partition, made by the migration, ends with tomorrow: later days are ours.
START = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0) + 2 * DAY
NOON = timedelta(hours=12)


@pytest.fixture
def store():
    url = postgres().new_database()
    with closing(open_store(url, vault=a_vault())) as opened:
        with opened.write() as tx:
            tx.add_account(an_account())
            tx.add_subscription(a_subscription(), fingerprint="f1")
        yield opened
    postgres().drop(make_url(url).database)


def keep(store, *, now, retention=RETENTION):
    return store.keep_partitions(now=now, retention=retention)


def days(*numbers):
    return [START + number * DAY for number in numbers]


def make_days(store, count):
    """Make partitions for the days from `START`, as a job does that runs every day."""
    for number in range(count):
        keep(store, now=START + (number - 1) * DAY)


def fill(store, moment, *, state=DeliveryState.SUCCEEDED, delivered_at=None):
    """Store an event of the moment, with a payload and a delivery; return the delivery."""
    event, pay = (first_id(prefix, moment) for prefix in ("evt", "pay"))
    delivery = a_delivery(
        id=first_id("dlv", delivered_at or moment),
        event_id=event,
        payload_id=pay,
        created_at=moment,
        **({} if state is DeliveryState.SUCCEEDED else {"next_attempt_at": moment}),
        state=state,
    )
    with store.write() as tx:
        tx.add_events([an_event(id=event, received_at=moment)])
        tx.add_payloads([a_payload(id=pay, event_id=event)])
        tx.add_deliveries([delivery])
    return delivery


def names(store, table):
    """Return the names of a table's partitions."""
    asked = text(
        "SELECT CAST(CAST(inhrelid AS regclass) AS text) FROM pg_inherits"
        " WHERE inhparent = CAST(:parent AS regclass)"
    )
    with store.database.reading() as connection:
        return sorted(connection.execute(asked, {"parent": table}).scalars())


def home(store, table, row_id):
    """Return the partition that a row is in."""
    with store.database.reading() as connection:
        asked = text(f"SELECT CAST(CAST(tableoid AS regclass) AS text) FROM {table} WHERE id = :id")  # noqa: S608  # a name of ours
        return connection.execute(asked, {"id": row_id}).scalar_one_or_none()


def named(table, day):
    return f"{table}_{day:%Y%m%d}"


# Ids


def test_ids_of_the_dice_sort_by_the_moments_before_and_after_them():
    before = SystemClock().now() - timedelta(milliseconds=1)
    made = SystemDice().new_id("evt")
    after = SystemClock().now() + timedelta(milliseconds=1)

    assert first_id("evt", before) < made < first_id("evt", after)


def test_first_ids_sort_as_their_moments_do():
    moments = [START, START + timedelta(microseconds=5), START + DAY, START + 30_000 * DAY]

    made = [first_id("evt", moment) for moment in moments]

    assert made == sorted(set(made))


def test_the_ids_of_the_dice_fall_into_the_day_they_are_made_on(store):
    delivery_id = SystemDice().new_id("dlv")
    with store.write() as tx:
        tx.add_events([an_event()])
        tx.add_payloads([a_payload()])
        tx.add_deliveries([a_delivery(id=delivery_id)])

    assert home(store, "deliveries", delivery_id) == named("deliveries", START - DAY)


def test_an_id_of_another_maker_falls_into_the_net(store):
    with store.write() as tx:
        tx.add_events([an_event(id="evt_mine")])

    assert home(store, "events", "evt_mine") == "events_default"


# Making


def test_days_are_made_ahead_once(store):
    first = keep(store, now=START - DAY)
    again = keep(store, now=START - DAY)

    ahead = [named("events", day) for day in days(0, 1, 2, 3)]
    assert [name for name in first.made if name.startswith("events_")] == ahead
    assert again.made == ()
    fill(store, START + NOON)
    for table, prefix in zip(TABLES[1:], ("dlv", "pay", "evt"), strict=True):
        assert home(store, table, first_id(prefix, START + NOON)) == named(table, START)


def test_a_new_partition_has_the_indexes_of_its_table(store):
    keep(store, now=START)

    with store.database.reading() as connection:
        counted = connection.exec_driver_sql(
            "SELECT tablename, count(*) FROM pg_indexes WHERE tablename LIKE 'deliveries%%'"
            " GROUP BY tablename"
        ).all()
    assert len({count for _name, count in counted}) == 1


def test_a_longer_retention_makes_fewer_and_longer_pieces(store):
    made = keep(store, now=START - DAY, retention=100 * DAY).made

    assert [name for name in made if name.startswith("events_")] == [
        named("events", START + 9 * DAY)
    ]


def test_after_days_without_the_job_the_net_holds_what_came_and_leaves_it_there(store):
    late = START + 20 * DAY
    fill(store, late + NOON)

    made = keep(store, now=late + NOON).made

    assert named("events", late + DAY) in made
    assert named("events", late) not in made
    assert home(store, "events", first_id("evt", late + NOON)) == "events_default"


def test_what_waits_for_a_lock_is_left_for_the_next_time(store):
    with store.database.writing() as connection:
        connection.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        made = keep(store, now=START).made

    assert not [name for name in made if name.startswith("events_")]
    assert [name for name in made if name.startswith("deliveries_")]
    assert keep(store, now=START).made


# Dropping


def test_days_older_than_the_retention_go_whole(store):
    make_days(store, 3)
    old, young = fill(store, START + NOON), fill(store, START + 2 * DAY + NOON)

    changes = keep(store, now=START + 2 * DAY + RETENTION)

    assert named("deliveries", START) in changes.dropped
    assert named("events", START) in changes.dropped
    with store.read() as tx:
        assert tx.delivery(old.id) is tx.event(old.event_id) is tx.payload(old.payload_id) is None
        assert tx.delivery(young.id) is not None
        assert tx.event(young.event_id) is not None


def test_a_day_is_kept_until_all_of_it_is_older(store):
    make_days(store, 1)
    delivery = fill(store, START + NOON)

    changes = keep(store, now=START + DAY + RETENTION - SECOND)

    assert named("deliveries", START) not in changes.dropped
    with store.read() as tx:
        assert tx.delivery(delivery.id) is not None


def test_a_day_with_a_delivery_that_waits_is_kept_whole(store):
    make_days(store, 1)
    fill(store, START + NOON, state=DeliveryState.PENDING)

    changes = keep(store, now=START + 3 * DAY + RETENTION)

    for table in TABLES:
        assert named(table, START) in changes.kept
        assert named(table, START) in names(store, table)


def test_a_delivery_that_waits_in_a_lane_keeps_its_day(store):
    make_days(store, 1)
    delivery = fill(store, START + NOON, state=DeliveryState.PENDING)
    with store.write() as tx:
        tx.set_lane(SUBSCRIPTION, Lane(not_before=START + 90 * DAY), now=START + NOON)
        assert tx.claim_due(worker="w", now=START + DAY, lease_until=START + 2 * DAY, limit=9) == ()

    changes = keep(store, now=START + 3 * DAY + RETENTION)

    assert named("deliveries", START) in changes.kept
    with store.read() as tx:
        assert tx.event(delivery.event_id) is not None


def test_an_event_is_kept_for_a_later_delivery_that_waits(store):
    """As a replay makes them."""
    make_days(store, 6)
    delivery = fill(
        store, START + NOON, state=DeliveryState.PENDING, delivered_at=START + 5 * DAY + NOON
    )

    changes = keep(store, now=START + 3 * DAY + RETENTION)

    assert named("deliveries", START) in changes.dropped
    assert {named("events", START), named("payloads", START)} <= set(changes.kept)
    with store.write() as tx:
        now = START + 9 * DAY
        [claimed] = tx.claim_due(worker="w", now=now, lease_until=now + MINUTE, limit=9)
    assert claimed.delivery.id == delivery.id


def test_a_delivery_of_just_after_midnight_still_has_its_event(store):
    make_days(store, 2)
    midnight = START + DAY
    delivery = fill(store, midnight - timedelta(milliseconds=1), delivered_at=midnight)

    keep(store, now=START + DAY + RETENTION)

    with store.read() as tx:
        assert tx.delivery(delivery.id) is not None
        assert tx.event(delivery.event_id) is not None


def test_what_was_sent_of_an_event_that_is_gone_is_not_sent_again(store):
    make_days(store, 6)
    delivery = fill(store, START + NOON, delivered_at=START + 5 * DAY + NOON)
    keep(store, now=START + 3 * DAY + RETENTION)

    with store.write() as tx:
        assert not tx.requeue(delivery.id, now=START + 9 * DAY)


def test_one_that_began_to_wait_after_the_question_is_seen_under_the_lock(store, monkeypatch):
    make_days(store, 1)
    delivery = fill(store, START + NOON)
    now = START + 3 * DAY + RETENTION
    asked = partitions._is_needed

    def redelivered_meanwhile(connection, piece, *, since=None):
        answer = asked(connection, piece, since=since)
        if piece.name == named("deliveries", START) and since is None:
            with store.write() as tx:
                assert tx.requeue(delivery.id, now=now)
        return answer

    monkeypatch.setattr(partitions, "_is_needed", redelivered_meanwhile)
    changes = keep(store, now=now)

    assert named("deliveries", START) in changes.kept
    with store.read() as tx:
        assert tx.delivery(delivery.id).state is DeliveryState.PENDING


def test_attempts_are_kept_while_their_delivery_waits(store):
    make_days(store, 1)
    delivery = fill(store, START + NOON, state=DeliveryState.PENDING)
    now = START + NOON
    with store.write() as tx:
        [claimed] = tx.claim_due(worker="w", now=now, lease_until=now + MINUTE, limit=9)
        attempt = an_attempt(id=first_id("att", now), delivery_id=delivery.id)
        verdict = retried(next_attempt_at=START + 90 * DAY)
        settlement = a_settlement(claimed, verdict)
        tx.settle([replace(settlement, attempt=attempt)])

    keep(store, now=START + 3 * DAY + RETENTION)

    with store.read() as tx:
        assert [one.id for one in tx.attempts(delivery.id)] == [attempt.id]


# Pruning what partitions leave


def test_pruning_leaves_young_partitions_to_be_dropped_whole(store):
    make_days(store, 1)
    delivery = fill(store, START + NOON)

    with store.write() as tx:
        assert tx.prune(before=START + DAY, limit=100) == 0

    with store.read() as tx:
        assert tx.event(delivery.event_id) is not None


def test_pruning_takes_settled_events_out_of_an_old_partition_that_is_kept(store):
    make_days(store, 1)
    waiting = fill(store, START + NOON, state=DeliveryState.PENDING)
    settled = fill(store, START + NOON + MINUTE)
    before = START + 3 * DAY
    assert named("events", START) in keep(store, now=before + RETENTION).kept

    with store.write() as tx:
        assert tx.prune(before=before, limit=100) == 1

    with store.read() as tx:
        assert tx.event(settled.event_id) is None
        assert tx.event(waiting.event_id) is not None


def test_pruning_empties_the_net(store):
    with store.write() as tx:
        tx.add_events([an_event(id="evt_mine", received_at=START)])

    with store.write() as tx:
        assert tx.prune(before=START + DAY, limit=100) == 1


# What a question reads


def plan(store, ask):
    """Return the plan of the first SELECT of ``ask(tx)`` from a table in partitions."""
    with recorded(store) as found, store.write() as tx:
        ask(tx)
    statement, values = next(
        one
        for one in found
        if any(f"FROM {table} " in f"{one[0]} ".replace("\n", " ") for table in TABLES)
    )
    with store.database.writing() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", values)
        return "\n".join(rows.scalars())


@pytest.mark.parametrize(
    ("table", "ask"),
    [
        ("events", lambda tx: tx.event(first_id("evt", START + NOON))),
        ("payloads", lambda tx: tx.payload(first_id("pay", START + NOON))),
        ("deliveries", lambda tx: tx.delivery(first_id("dlv", START + NOON))),
    ],
)
def test_one_by_its_id_reads_one_partition(store, table, ask):
    make_days(store, 5)

    read = plan(store, ask)

    assert f"on {named(table, START)} " in read
    assert read.count(f"on {table}_") == 1


def test_some_by_their_ids_read_only_the_partitions_they_are_in(store):
    make_days(store, 5)
    delivery = fill(store, START + NOON)

    read = plan(store, lambda tx: tx.settle([a_settlement_of(delivery)]))

    assert f"on {named('deliveries', START)} " in read
    assert read.count("on deliveries_") == 1


def a_settlement_of(delivery):
    claimed = ClaimedDelivery(
        delivery=delivery,
        lease=Lease(delivery_id=delivery.id, worker="w", fence=9, expires_at=START + 90 * DAY),
        subscription=a_subscription(),
        event_type="appointment.create",
        body=b"{}",
    )
    return a_settlement(claimed, retried())


def test_a_claim_of_a_long_backlog_sorts_nothing_and_reads_no_table_whole(store):
    make_days(store, 5)
    many = [
        a_delivery(id=first_id("dlv", START + n * SECOND), event_id="evt_x", payload_id="pay_x")
        for n in range(5_000)
    ]
    with store.write() as tx:
        tx.add_events([an_event(id="evt_x")])
        tx.add_payloads([a_payload(id="pay_x")])
        tx.add_deliveries(many)
    with store.database.writing() as connection:
        connection.exec_driver_sql("ANALYZE deliveries, events, payloads")

    with recorded(store) as found, store.write() as tx:
        tx.claim_due(worker="w", now=START, lease_until=START + MINUTE, limit=100)

    [due] = [one for one in found if "due_at <=" in one[0]]
    with store.database.writing() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {due[0]}", due[1])
        read = "\n".join(rows.scalars())
    assert "Merge Append" in read
    assert f"Index Scan using {named('deliveries', START)}_due_at_idx" in read
    for word in ("Seq Scan", "Hash", "Sort  ", "Materialize"):
        assert word not in read


def test_sqlite_has_no_partitions(tmp_path):
    with closing(memory_store(tmp_path)) as opened:
        changes = keep(opened, now=START)

    assert changes.made == changes.dropped == changes.kept == ()


def test_a_claim_is_one_over_all_partitions(store):
    make_days(store, 3)
    made = [fill(store, day + NOON, state=DeliveryState.PENDING) for day in days(2, 0, 1)]

    with store.write() as tx:
        now = START + 9 * DAY
        claimed = tx.claim_due(worker="w", now=now, lease_until=now + MINUTE, limit=9)

    assert [one.delivery.id for one in claimed] == sorted(one.id for one in made)
    assert {one.delivery.account_id for one in claimed} == {ACCOUNT}
