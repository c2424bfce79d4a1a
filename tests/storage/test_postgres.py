"""What is special about PostgreSQL: many writers at once, a bell, and how it fails."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import make_url, text

from app.core.deliveries import DeliveryState, Verdict
from app.core.errors import ConflictError, UnavailableError
from app.core.subscriptions import StateReason, SubscriptionState
from app.storage import DatabaseOptions, open_bell, open_store
from app.storage.migrate import comparison, current_revision, upgrade
from app.storage.postgres import MAX_CONNECTIONS
from app.storage.tables import metadata
from tests.builders import (
    ACCOUNT,
    MINUTE,
    NOW,
    SUBSCRIPTION,
    a_delivery,
    a_key,
    a_resource,
    a_settlement,
    a_subscription,
    an_account,
    an_event,
    an_idempotency_record,
    furnish,
    retried,
    succeeded,
)
from tests.contracts.stores import a_vault
from tests.postgres import postgres

GONE = Verdict(
    state=DeliveryState.CANCELLED, attempt_count=1, ends_subscription=StateReason.TARGET_GONE
)
IMPATIENT = DatabaseOptions(patience=timedelta(milliseconds=50))


@pytest.fixture
def server():
    return postgres()


@pytest.fixture
def url(server):
    made = server.new_database()
    yield made
    server.drop(make_url(made).database)


@pytest.fixture
def empty_url(server):
    made = server.new_database(migrated=False)
    yield made
    server.drop(make_url(made).database)


@pytest.fixture
def store(url):
    with closing(open_store(url, vault=a_vault())) as opened:
        yield opened


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def claim(store, worker="w1", *, now=NOW, limit=7):
    with store.write() as tx:
        return tx.claim_due(worker=worker, now=now, lease_until=now + MINUTE, limit=limit)


def settle(store, *settlements):
    with store.write() as tx:
        return tx.settle(settlements)


def put_state(store, state):
    with store.write() as tx:
        tx.save_subscription(a_subscription(state=state), fingerprint="f1")


def delivery(store, delivery_id="dlv_1"):
    with store.read() as tx:
        return tx.delivery(delivery_id)


def waits(store):
    """Return once some transaction waits for a lock of another one."""
    asked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with store.database.engine.connect() as connection:
        watching = connection.execution_options(isolation_level="AUTOCOMMIT")
        end = time.monotonic() + 5
        while not watching.execute(asked).scalar_one():
            assert time.monotonic() < end, "nobody waits"


def setting(store, name):
    with store.database.writing() as connection:
        return connection.exec_driver_sql(f"SHOW {name}").scalar_one()


# The session


def test_no_wait_is_without_end(store):
    assert setting(store, "lock_timeout") == "5s"
    assert setting(store, "statement_timeout") == "1min"
    assert setting(store, "idle_in_transaction_session_timeout") == "1min"


def test_writers_see_what_is_committed_and_readers_one_moment(store):
    assert setting(store, "transaction_isolation") == "read committed"
    furnish(store)

    with store.read() as tx:
        assert tx.account("acc_2") is None
        with store.write() as other:
            other.add_account(an_account(id="acc_2", reference="salon-2"))
        assert tx.account("acc_2") is None


def test_what_the_url_says_of_the_connection_wins(url):
    with closing(open_store(f"{url}&application_name=mine", vault=a_vault())) as store:
        assert setting(store, "application_name") == "mine"


def test_both_spellings_of_the_scheme_open_it(url):
    spelt = url.replace("postgresql:", "postgresql+psycopg:")

    with closing(open_store(spelt, vault=a_vault())) as store:
        store.ping()


def test_lists_follow_the_bytes_of_ids_whatever_the_language_of_the_database(store):
    with store.database.reading() as connection:
        compared = connection.exec_driver_sql(
            "SELECT DISTINCT c.collname FROM pg_index i"
            " JOIN pg_attribute a ON a.attrelid = i.indexrelid"
            " JOIN pg_collation c ON c.oid = a.attcollation"
            " JOIN pg_class t ON t.oid = i.indrelid"
            " WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version'"
        )
        assert compared.scalars().all() == ["C"]


# Migrations


def test_the_migrations_make_exactly_the_tables(store):
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts=comparison(connection.dialect.name))
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_partial_indexes_and_checks(store):
    """What the comparison above does not look at."""
    with store.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT indexname, indexdef FROM pg_indexes").all()
        checks = connection.exec_driver_sql("SELECT conname FROM pg_constraint").scalars().all()
    made = dict(tuple(row) for row in rows)
    assert made["ix_deliveries_due"].endswith("WHERE (due_at IS NOT NULL)")
    assert made["ix_deliveries_open"].endswith("WHERE (due_at IS NOT NULL)")
    assert made["ix_deliveries_lane"].endswith("WHERE (lane_at IS NOT NULL)")
    for name in ("uq_subscriptions_fingerprint", "ix_subscriptions_account"):
        assert made[name].endswith("WHERE (state <> 'ended'::text)")
    assert "ck_deliveries_settled" in checks


def test_several_processes_may_migrate_at_once(empty_url, threads):
    def start(_number):
        open_store(empty_url, vault=a_vault(), migrate=True).close()

    list(threads.map(start, range(4)))

    with closing(open_store(empty_url, vault=a_vault())) as store:
        assert current_revision(store.database) is not None


def test_who_comes_second_waits_longer_than_for_a_lock(empty_url, threads):
    with closing(open_store(empty_url, vault=a_vault(), options=IMPATIENT)) as store:
        with store.database.upgrading() as connection:
            second = threads.submit(upgrade, store.database)
            waits(store)
            connection.exec_driver_sql("SELECT pg_sleep(0.1)")  # twice its patience
            assert not second.done()
        second.result()


def test_a_migration_that_fails_leaves_nothing(empty_url):
    with closing(open_store(empty_url, vault=a_vault())) as store:
        with store.database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE deliveries (id TEXT)")

        with pytest.raises(Exception, match="already exists"):
            upgrade(store.database)

        assert current_revision(store.database) is None


# Claims


def test_threads_with_connections_of_their_own_never_share_a_delivery(store, threads):
    count = 600
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(count)))
    start = threading.Barrier(4)

    def work(worker):
        start.wait()
        mine = []
        while claims := claim(store, worker):
            mine += (claimed.delivery.id for claimed in claims)
            assert settle(store, *(a_settlement(each, succeeded()) for each in claims)) == ()
        return mine

    found = [each for mine in threads.map(work, ["w1", "w2", "w3", "w4"]) for each in mine]

    assert len(found) >= count - 3 * 7  # who sees only locked ones goes home early
    assert len(set(found)) == len(found)
    with store.read() as tx:
        assert tx.activity([SUBSCRIPTION])[SUBSCRIPTION].delivery_count == len(found)


def test_a_claim_waits_for_nobody_and_takes_what_is_free(store):
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(4)))

    with store.write() as first:
        taken = first.claim_due(worker="w1", now=NOW, lease_until=NOW + MINUTE, limit=3)
        others = claim(store, "w2")

    assert len(taken) == 3
    assert len(others) == 1
    assert {each.delivery.id for each in taken}.isdisjoint(each.delivery.id for each in others)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_the_claim_walks_the_index_of_what_is_due(store, mode):
    settled = DeliveryState.SUCCEEDED
    furnish(store, *(a_delivery(id=f"dlv_{number}", state=settled) for number in range(2000)))
    with store.write() as tx:
        tx.add_deliveries([a_delivery(id=f"dlv_x{number}") for number in range(100)])
    with store.database.writing() as connection:
        connection.exec_driver_sql("ANALYZE deliveries")
        connection.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
        connection.exec_driver_sql(
            "PREPARE due (timestamptz, integer) AS SELECT d.id, p.body FROM deliveries d"
            " JOIN events e ON e.id = d.event_id JOIN payloads p ON p.id = d.payload_id"
            " WHERE d.due_at <= $1 ORDER BY d.due_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED"
        )
        plan = "\n".join(
            connection.exec_driver_sql("EXPLAIN EXECUTE due (now(), 10)").scalars().all()
        )

    assert "Index Scan using deliveries_default_due_at_idx on deliveries_default" in plan
    assert "Merge Append" in plan
    assert "Sort  " not in plan


# Races


def test_a_late_settlement_waits_for_the_new_claim_and_is_lost(store, threads):
    furnish(store, a_delivery())
    [old] = claim(store)

    with store.write() as tx:
        [new] = tx.claim_due(worker="w2", now=NOW + MINUTE, lease_until=NOW + 2 * MINUTE, limit=1)
        late = threads.submit(settle, store, a_settlement(old, succeeded()))
        waits(store)

    assert late.result() == ("dlv_1",)
    assert delivery(store).state is DeliveryState.SENDING
    assert settle(store, a_settlement(new, succeeded())) == ()


def test_a_claim_passes_by_what_is_being_settled(store):
    furnish(store, a_delivery())
    [claimed] = claim(store)

    with store.write() as tx:
        assert tx.settle([a_settlement(claimed, succeeded())]) == ()
        assert claim(store, "w2", now=NOW + MINUTE) == ()

    assert claim(store, "w2", now=NOW + MINUTE) == ()


def test_identical_subscriptions_at_once_are_one(store, threads):
    furnish(store)

    with store.write() as tx:
        assert tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")
        second = threads.submit(add_subscription, store, "sub_3", "f2")
        waits(store)

    assert second.result() == (False, "sub_2")


def add_subscription(store, subscription_id, fingerprint):
    with store.write() as tx:
        added = tx.add_subscription(a_subscription(id=subscription_id), fingerprint=fingerprint)
        return added, tx.subscription_by_fingerprint(ACCOUNT, fingerprint).id


def test_subscriptions_are_counted_one_transaction_after_the_other(store, threads):
    furnish(store)

    def count():
        with store.write() as tx:
            return tx.count_subscriptions(ACCOUNT)

    with store.write() as tx:
        assert tx.count_subscriptions(ACCOUNT) == 1
        second = threads.submit(count)
        waits(store)
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")

    assert second.result() == 2


def test_one_idempotency_key_at_once_is_a_conflict_for_the_second(store, threads):
    furnish(store)

    def remember():
        with store.write() as tx:
            tx.add_events([an_event(id="evt_2")])
            tx.add_idempotency_records([an_idempotency_record()])

    with store.write() as tx:
        tx.add_idempotency_records([an_idempotency_record()])
        second = threads.submit(remember)
        waits(store)

    with pytest.raises(ConflictError, match="idempotency key"):
        second.result()
    with store.read() as tx:
        assert tx.event("evt_2") is None


def test_keys_of_two_batches_in_opposite_order_are_no_deadlock(store, threads):
    furnish(store)
    records = [an_idempotency_record(key=f"order-{number:03}") for number in range(300)]

    def remember(some):
        try:
            with store.write() as tx:
                tx.add_idempotency_records(some)
        except ConflictError:
            return "conflict"

    for _ in range(5):
        answers = list(threads.map(remember, [records, records[::-1]]))
        assert "conflict" in answers
        with store.write() as tx:
            tx.prune(before=NOW + MINUTE, limit=1000)


def test_resources_are_put_one_transaction_after_the_other(store, threads):
    furnish(store)

    def put(label):
        with store.write() as tx:
            tx.put_resources(ACCOUNT, "schedule", [a_resource(label=label)], replace=False)

    with store.write() as tx:
        tx.put_resources(ACCOUNT, "schedule", [a_resource(label="First")], replace=False)
        second = threads.submit(put, "Second")
        waits(store)
    second.result()

    with store.read() as tx:
        assert tx.resources_by_id(ACCOUNT, "schedule", ["7"])[0].label == "Second"


@pytest.mark.parametrize("before", [SubscriptionState.ACTIVE, SubscriptionState.PAUSED])
def test_a_state_changes_after_the_fan_out_that_read_it(store, threads, before):
    """Else a delivery would stay held for ever, or go out under a pause."""
    furnish(store)
    put_state(store, before)
    [after] = {SubscriptionState.ACTIVE, SubscriptionState.PAUSED} - {before}

    with store.write() as tx:
        tx.add_deliveries([a_delivery()])
        change = threads.submit(put_state, store, after)
        if after is SubscriptionState.PAUSED:
            change.result()  # it need not wait: the claim knows better
    change.result()

    assert len(claim(store)) == (after is SubscriptionState.ACTIVE)


def test_the_claim_cancels_what_a_fan_out_added_while_the_subscription_ended(store):
    furnish(store)

    with store.write() as tx:
        tx.add_deliveries([a_delivery()])
        end(store)

    assert claim(store) == ()
    assert delivery(store).state is DeliveryState.CANCELLED


def end(store):
    with store.write() as tx:
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.UNSUBSCRIBED, now=NOW)


def test_a_retry_settled_while_the_subscription_ends_is_cancelled(store, threads):
    furnish(store, a_delivery())
    [claimed] = claim(store)

    with store.write() as tx:
        tx.settle([a_settlement(claimed, retried())])
        ending = threads.submit(end, store)
        waits(store)
    ending.result()

    assert delivery(store).state is DeliveryState.CANCELLED


def test_a_retry_settled_while_somebody_resumes_is_not_held_for_ever(store, threads):
    furnish(store, a_delivery())
    [claimed] = claim(store)
    put_state(store, SubscriptionState.PAUSED)

    with store.write() as tx:
        tx.save_subscription(a_subscription(), fingerprint="f1")
        settling = threads.submit(settle, store, a_settlement(claimed, retried()))
        waits(store)

    assert settling.result() == ()
    assert claim(store) == ()
    with store.read() as tx:
        assert tx.next_due_at() == NOW + MINUTE


def test_a_change_does_not_bring_an_ended_subscription_back(store, threads):
    furnish(store)

    def rename():
        with store.write() as tx:
            return tx.subscription(SUBSCRIPTION).state

    with store.write() as tx:
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.UNSUBSCRIBED, now=NOW)
        second = threads.submit(rename)
        waits(store)

    assert second.result() is SubscriptionState.ENDED


def test_many_workers_that_settle_one_subscription_never_deadlock(store, threads):
    furnish(store)
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")
        tx.add_deliveries(
            [
                a_delivery(id=f"dlv_{number}", subscription_id=f"sub_{number % 2 + 1}")
                for number in range(200)
            ]
        )
    claims = claim(store, limit=200)
    shares = [claims[0:50], claims[50:100][::-1], claims[100:150], claims[150:200][::-1]]

    def work(share):
        verdicts = [GONE if number % 20 == 0 else retried() for number in range(len(share))]
        return settle(store, *map(a_settlement, share, verdicts))

    toggles = [
        threads.submit(put_state, store, state)
        for state in [SubscriptionState.PAUSED, SubscriptionState.ACTIVE]
    ]
    assert list(threads.map(work, shares)) == [(), (), (), ()]
    for toggle in toggles:
        toggle.result()


# The bell


@pytest.fixture
def bell(url):
    with closing(open_bell(url, listens=True)) as listening:
        assert listening.wait(5)  # connected now
        yield listening


def test_a_ring_elsewhere_wakes_who_waits(url, bell, threads):
    waiting = threads.submit(bell.wait, 30)

    with closing(open_bell(url, listens=False)) as other:
        other.ring()

        assert waiting.result(5)


def test_a_ring_here_wakes_who_waits_here_once(bell, threads):
    waiting = threads.submit(bell.wait, 30)

    bell.ring()

    assert waiting.result(5)
    assert not bell.wait(0.2)


def test_another_database_does_not_hear_it(bell, server, empty_url):
    with closing(open_bell(empty_url, listens=True)) as other:
        assert other.wait(5)
        bell.ring()

        assert not other.wait(0.2)


def test_a_restart_of_the_server_counts_as_a_ring_and_the_bell_works_again(bell, url, server):
    with closing(open_bell(url, listens=False)) as other:
        other.ring()
        assert bell.wait(5)

        server.restart()
        assert bell.wait(5)  # it broke
        assert bell.wait(5)  # connected again

        other.ring()
        assert bell.wait(5)


def test_without_a_server_a_ring_here_still_wakes(tmp_path):
    with closing(open_bell(f"postgresql:///x?host={tmp_path}", listens=True)) as bell:
        bell.ring()

        assert bell.wait(5)
        assert not bell.wait(0)


# Faults


def test_a_restart_in_a_transaction_is_unavailable_and_the_next_one_works(store, server):
    furnish(store)

    def publish():
        with store.write() as tx:
            tx.add_events([an_event(id="evt_2")])
            server.restart()
            tx.account(ACCOUNT)

    with pytest.raises(UnavailableError, match="Nothing was accepted"):
        publish()

    with store.read() as tx:
        assert tx.event("evt_2") is None


def test_a_restart_between_transactions_is_not_noticed(store, server):
    furnish(store)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(store.read())

    server.restart()

    for _ in range(5):
        store.ping()


def test_a_connection_lost_while_committing_does_not_claim_that_nothing_happened(store, server):
    def publish():
        with store.write() as tx:
            tx.add_account(an_account())
            server.restart()

    with pytest.raises(UnavailableError, match="may have happened"):
        publish()
    store.ping()


def test_a_server_that_is_down_is_unavailable_until_it_is_back(store, server):
    server.stop()
    try:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            store.ping()
    finally:
        server.start()

    store.ping()


def test_why_it_cannot_be_reached_is_for_the_log_and_names_no_password(tmp_path, caplog):
    url = f"postgresql://ada:hunter2@/x?host={tmp_path}"

    with (
        closing(open_store(url, vault=a_vault())) as store,
        pytest.raises(UnavailableError) as caught,
    ):
        store.ping()

    [record] = caplog.records
    assert str(tmp_path) in record.detail
    assert "hunter2" not in record.detail + str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_lock_that_does_not_come_is_unavailable(url, store):
    furnish(store)
    with (
        closing(open_store(url, vault=a_vault(), options=IMPATIENT)) as other,
        store.write() as tx,
    ):
        tx.end_subscription(SUBSCRIPTION, reason=StateReason.UNSUBSCRIBED, now=NOW)

        with pytest.raises(UnavailableError, match="locked"):
            end(other)


def test_who_finds_every_connection_in_use_is_refused(url):
    with (
        closing(open_store(url, vault=a_vault(), options=IMPATIENT)) as store,
        ExitStack() as readers,
    ):
        for _ in range(MAX_CONNECTIONS):
            readers.enter_context(store.read())
        with pytest.raises(UnavailableError, match="in use"), store.read():
            pass


def test_a_mistake_of_ours_stays_an_error(store):
    with pytest.raises(Exception, match="foreign key") as caught, store.write() as tx:
        tx.add_key(a_key(account_id="acc_9"))

    assert not isinstance(caught.value, UnavailableError)


def test_a_deadlock_is_unavailable(store, threads):
    furnish(store)
    start = threading.Barrier(2)

    def take(first, second):
        with store.database.writing() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
            start.wait()
            connection.execute(text(f"SELECT pg_advisory_xact_lock({second})"))

    taking = [threads.submit(take, 1, 2), threads.submit(take, 2, 1)]

    [error] = [each.exception() for each in taking if each.exception()]
    assert isinstance(error, UnavailableError)


def test_a_claim_that_would_move_deliveries_into_a_lane_waits_for_nobody(store, threads):
    """It holds the lanes that it looks into: whoever waits for one of these may hold another."""
    furnish(store, a_delivery())
    put_state(store, SubscriptionState.PAUSED)  # what is in the open belongs into the lane
    with store.write() as tx:
        tx.connection.exec_driver_sql("SELECT FROM lanes FOR UPDATE")

        assert threads.submit(claim, store, "w2").result(timeout=3) == ()

    assert claim(store) == ()
    with store.read() as tx:
        assert tx.next_due_at() is None
