"""What is special about SQLite: files, locks, threads, and how they fail."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from app.core.errors import UnavailableError
from app.storage import DatabaseOptions, Durability, open_store
from app.storage.sqlite import MAX_CONNECTIONS
from tests.builders import (
    ACCOUNT,
    MINUTE,
    NOW,
    a_delivery,
    a_payload,
    a_settlement,
    an_account,
    an_event,
    furnish,
    succeeded,
)
from tests.contracts.stores import a_vault, file_store

IMPATIENT = DatabaseOptions(patience=timedelta(milliseconds=50))


@pytest.fixture
def store(tmp_path):
    opened = file_store(tmp_path)
    yield opened
    opened.close()


def open_impatient(tmp_path, *, migrate=False):
    url = f"sqlite:///{tmp_path / 'relais.db'}"
    return open_store(url, vault=a_vault(), options=IMPATIENT, migrate=migrate)


def pragma(store, name):
    with store.database.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_file_is_set_up_to_survive(store):
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2  # FULL
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "busy_timeout") == 5000


def test_durability_is_the_operators_choice(tmp_path):
    options = DatabaseOptions(durability=Durability.NORMAL)
    store = open_store(f"sqlite:///{tmp_path / 'r.db'}", vault=a_vault(), options=options)

    assert pragma(store, "synchronous") == 1
    store.close()


def test_what_was_written_is_there_after_opening_again(tmp_path):
    store = file_store(tmp_path)
    furnish(store, a_delivery())
    store.close()

    again = file_store(tmp_path)

    with again.read() as tx:
        assert tx.delivery("dlv_1") == a_delivery()
    again.close()


def test_two_memory_stores_share_nothing():
    first = open_store("sqlite://", vault=a_vault(), migrate=True)
    second = open_store("sqlite://", vault=a_vault(), migrate=True)
    furnish(first)

    with second.read() as tx:
        assert tx.account(ACCOUNT) is None
    first.close()
    second.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x", "sqlite+pysqlcipher://", ""])
def test_an_unknown_engine_is_refused(url):
    with pytest.raises(ValueError, match="sqlite"):
        open_store(url, vault=a_vault())


def test_a_refused_url_is_not_repeated():
    with pytest.raises(ValueError, match="known ones") as caught:
        open_store("mysql://root:hunter2@localhost/x", vault=a_vault())

    assert "hunter2" not in str(caught.value)


# Views and locks


def test_a_reader_sees_one_moment(store):
    furnish(store)

    with store.read() as tx:
        assert tx.account("acc_2") is None
        with store.write() as other:
            other.add_account(an_account(id="acc_2", reference="salon-2"))
        assert tx.account("acc_2") is None

    with store.read() as tx:
        assert tx.account("acc_2") is not None


def test_a_reader_does_not_wait_for_a_writer(store):
    with store.write() as tx:
        tx.add_account(an_account())
        with store.read() as reader:
            assert reader.account(ACCOUNT) is None


def test_a_file_locked_by_another_process_is_unavailable(tmp_path):
    store = open_impatient(tmp_path, migrate=True)
    other = sqlite3.connect(tmp_path / "relais.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(UnavailableError, match="locked"), store.write():
        pass

    other.execute("ROLLBACK")
    other.close()
    furnish(store)
    store.close()


def test_a_writer_that_waits_too_long_for_another_thread_is_refused(tmp_path):
    store = open_impatient(tmp_path, migrate=True)

    with ThreadPoolExecutor(1) as pool, store.write():
        other = pool.submit(furnish, store)
        with pytest.raises(UnavailableError, match="busy"):
            other.result()

    furnish(store)
    store.close()


def test_a_transaction_inside_a_transaction_is_refused_at_once(store):
    with store.write(), pytest.raises(RuntimeError, match="inside"), store.write():
        pass

    furnish(store)


def test_a_reader_that_finds_every_connection_in_use_is_refused(tmp_path):
    store = open_impatient(tmp_path, migrate=True)

    with ExitStack() as readers:
        for _ in range(MAX_CONNECTIONS):
            readers.enter_context(store.read())
        with pytest.raises(UnavailableError, match="in use"), store.read():
            pass

    store.ping()
    store.close()


# Threads


def test_two_threads_never_claim_the_same_delivery(store):
    count = 400
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(count)))
    start = threading.Barrier(2)

    def work(worker):
        start.wait()
        mine = []
        while claims := claim(store, worker):
            mine += (claimed.delivery.id for claimed in claims)
            with store.write() as tx:
                lost = tx.settle([a_settlement(claimed, succeeded()) for claimed in claims])
            assert lost == ()
        return mine

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, ["w1", "w2"])

    assert len(first) + len(second) == count
    assert len({*first, *second}) == count


def claim(store, worker):
    with store.write() as tx:
        return tx.claim_due(worker=worker, now=NOW, lease_until=NOW + MINUTE, limit=7)


def test_two_stores_on_one_file_never_claim_the_same_delivery(tmp_path, store):
    other = file_store(tmp_path)
    furnish(store, *(a_delivery(id=f"dlv_{number}") for number in range(10)))

    first, second = claim(store, "w1"), claim(other, "w2")

    claimed = [each.delivery.id for each in (*first, *second)]
    assert sorted(claimed) == sorted({*claimed})
    assert len(claimed) == 10
    other.close()


def test_many_threads_write_without_a_lock_error(store):
    furnish(store)

    def publish(number):
        with store.write() as tx:
            tx.add_events([an_event(id=f"evt_{number}x")])
            tx.add_payloads([a_payload(id=f"pay_{number}x")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(publish, range(80)))

    with store.read() as tx:
        assert all(tx.event(f"evt_{number}x") for number in range(80))


def test_memory_is_shared_by_threads_turn_by_turn():
    store = open_store("sqlite://", vault=a_vault(), migrate=True)
    furnish(store)

    def publish(number):
        with store.write() as tx:
            tx.add_events([an_event(id=f"evt_{number}x")])
        with store.read() as tx:
            return tx.event(f"evt_{number}x") is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(publish, range(80)))
    store.close()


# Faults


def test_a_full_disk_is_unavailable_and_keeps_what_was_there(store):
    furnish(store)
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def publish():
        with store.write() as tx:
            tx.add_events([an_event(id="evt_2")])
            tx.add_payloads([a_payload(id="pay_2", body=bytes(1_000_000))])

    with pytest.raises(UnavailableError, match="full"):
        publish()

    with store.read() as tx:
        assert tx.account(ACCOUNT) == an_account()
        assert tx.event("evt_2") is None
        assert tx.payload("pay_2") is None


def test_there_is_room_again_after_a_full_disk(store):
    furnish(store)
    with store.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(UnavailableError), store.write() as tx:
        tx.add_payloads([a_payload(id="pay_2", body=bytes(1_000_000))])

    with store.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    with store.write() as tx:
        tx.add_payloads([a_payload(id="pay_2", body=bytes(1_000_000))])

    with store.read() as tx:
        assert tx.payload("pay_2") is not None


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    (tmp_path / "relais.db").write_bytes(b"This is a letter to my mother. " * 500)

    with pytest.raises(UnavailableError, match="not a database"):
        open_impatient(tmp_path, migrate=True)
    store = open_impatient(tmp_path)
    with pytest.raises(UnavailableError, match="not a database"):
        store.ping()
    store.close()


def test_a_folder_that_does_not_exist_is_unavailable(tmp_path):
    with pytest.raises(UnavailableError, match="opened"):
        open_impatient(tmp_path / "nowhere", migrate=True)


def test_every_refusal_says_that_nothing_was_accepted(tmp_path):
    with pytest.raises(UnavailableError) as caught:
        open_impatient(tmp_path / "nowhere", migrate=True)

    assert caught.value.message.endswith("Nothing was accepted; try again later.")


def test_a_mistake_of_ours_stays_an_error(store):
    with pytest.raises(Exception, match="FOREIGN KEY") as caught, store.write() as tx:
        tx.add_events([an_event(account_id="acc_9")])

    assert not isinstance(caught.value, UnavailableError)


def test_an_error_does_not_repeat_what_was_to_be_stored(store):
    with pytest.raises(IntegrityError) as caught, store.write() as tx:
        tx.add_events([an_event(account_id="acc_9", data={"name": "canary"})])

    assert "canary" not in str(caught.value)


def test_a_new_database_is_for_its_owner_only(tmp_path):
    store = file_store(tmp_path)
    with store.write():
        pass

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    store.close()

    assert set(modes.values()) == {0o600}
    assert "relais.db-wal" in modes
