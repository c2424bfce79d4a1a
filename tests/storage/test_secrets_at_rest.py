import logging

import pytest

from app.core.signing_secrets import OldSecret
from app.storage import SqlStore, Vault, VaultError
from tests.builders import MINUTE, NOW, SECRET, SUBSCRIPTION, a_delivery, a_subscription, furnish
from tests.contracts.stores import KEY, file_store

CANARY = "Y2FuYXJ5"


@pytest.fixture
def store(tmp_path):
    opened = file_store(tmp_path)
    yield opened
    opened.close()


def swap_secrets(store, first, second):
    with store.database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE subscriptions SET secret = (SELECT secret FROM subscriptions other"
            " WHERE other.id = CASE subscriptions.id WHEN ? THEN ? ELSE ? END)",
            (first, second, first),
        )


def test_no_file_holds_a_secret(store, tmp_path):
    assert CANARY in SECRET
    furnish(store, a_delivery())

    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert {"relais.db", "relais.db-wal"} <= set(files)
    assert any(SUBSCRIPTION.encode() in content for content in files.values())
    assert not [name for name, content in files.items() if CANARY.encode() in content]


def test_a_secret_moved_to_another_row_does_not_open(store):
    furnish(store)
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")

    swap_secrets(store, "sub_1", "sub_2")

    with store.read() as tx, pytest.raises(VaultError):
        tx.subscription(SUBSCRIPTION)


def test_an_unreadable_secret_does_not_stop_the_others(store, caplog):
    furnish(store, a_delivery())
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")
        late = a_delivery(id="dlv_2", subscription_id="sub_2", next_attempt_at=NOW)
        tx.add_deliveries([late])
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE subscriptions SET secret = 'v1' WHERE id = 'sub_1'")

    with caplog.at_level(logging.ERROR), store.write() as tx:
        claims = tx.claim_due(worker="w", now=NOW, lease_until=NOW + MINUTE, limit=1)

    assert [claimed.delivery.id for claimed in claims] == ["dlv_2"]
    assert [record.message for record in caplog.records] == ["subscription.unreadable"]
    with store.read() as tx:
        assert tx.delivery("dlv_1").state == "pending"
        assert tx.next_due_at() == NOW + MINUTE


def test_secrets_are_sealed_again_with_the_new_key(store):
    furnish(store)
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2"), fingerprint="f2")
    new = ("k2", bytes(reversed(KEY)))
    rotating = SqlStore(store.database, vault=Vault([new, ("k1", KEY)]))

    sealed = [rotating.reseal_secrets(limit=1) for _ in range(3)]

    assert sealed == [1, 1, 0]
    with SqlStore(store.database, vault=Vault([new])).read() as tx:
        assert tx.subscription(SUBSCRIPTION) == a_subscription()


def test_old_secrets_are_sealed_too_and_sealed_again(store, tmp_path):
    old = OldSecret(secret=f"whsec_{CANARY}", signs_until=NOW + MINUTE)
    furnish(store)
    with store.write() as tx:
        tx.add_subscription(a_subscription(id="sub_2", old_secrets=(old,)), fingerprint="f2")
    new = ("k2", bytes(reversed(KEY)))
    rotating = SqlStore(store.database, vault=Vault([new, ("k1", KEY)]))

    sealed = [rotating.reseal_secrets(limit=2) for _ in range(3)]

    assert sealed == [2, 1, 0]
    with SqlStore(store.database, vault=Vault([new])).read() as tx:
        assert tx.subscription("sub_2").old_secrets == (old,)
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert not [content for content in files if CANARY.encode() in content]
