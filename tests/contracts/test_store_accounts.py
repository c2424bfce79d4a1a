"""Accounts, keys and resources. See `app.core.ports.AccountTx`."""

import pytest

from app.core.errors import ConflictError
from tests.builders import (
    ACCOUNT,
    DAY,
    NOW,
    a_key,
    a_publisher_key,
    a_resource,
    an_account,
    an_overlay,
)


@pytest.fixture(autouse=True)
def _account(store):
    with store.write() as tx:
        tx.add_account(an_account())


def put(store, *resources, replace=False):
    with store.write() as tx:
        tx.put_resources(ACCOUNT, "schedule", resources, replace=replace)


def ids_of(store, *, search="", limit=10, offset=0):
    with store.read() as tx:
        found = tx.resources(ACCOUNT, "schedule", search=search, limit=limit, offset=offset)
    return [resource.id for resource in found]


def test_an_account_comes_back_whole(store):
    full = an_account(
        id="acc_2",
        reference="salon-2",
        language="ja",
        enabled=False,
        catalogs=("bookings", "calls"),
        features={"sms": True},
        overlay=an_overlay(),
    )

    with store.write() as tx:
        tx.add_account(full)

    with store.read() as tx:
        assert tx.account("acc_2") == full
        assert tx.account_by_reference("salon-2") == full


def test_a_saved_account_has_its_new_values(store):
    changed = an_account(name="Salon Uno", overlay=an_overlay(), updated_at=NOW + DAY)

    with store.write() as tx:
        tx.save_account(changed)

    with store.read() as tx:
        assert tx.account(ACCOUNT) == changed


def test_an_unknown_account_is_none(store):
    with store.read() as tx:
        assert tx.account("acc_9") is None
        assert tx.account_by_reference("salon-9") is None


def test_a_reference_is_taken_once(store):
    with store.write() as tx, pytest.raises(ConflictError):
        tx.add_account(an_account(id="acc_2"))


def test_a_reference_cannot_be_changed_to_a_taken_one(store):
    with store.write() as tx:
        tx.add_account(an_account(id="acc_2", reference="salon-2"))

    with pytest.raises(ConflictError), store.write() as tx:
        tx.save_account(an_account(id="acc_2", reference="salon-1"))


def test_accounts_are_listed_by_id_page_by_page(store):
    with store.write() as tx:
        for number in (5, 3, 4, 2):
            tx.add_account(an_account(id=f"acc_{number}", reference=f"salon-{number}"))

    with store.read() as tx:
        first = tx.accounts(limit=2, cursor=None)
        second = tx.accounts(limit=2, cursor=first.next_cursor)
        third = tx.accounts(limit=2, cursor=second.next_cursor)

    pages = [[account.id for account in page.items] for page in (first, second, third)]
    assert pages == [["acc_1", "acc_2"], ["acc_3", "acc_4"], ["acc_5"]]
    assert third.next_cursor is None


def test_the_last_full_page_has_no_cursor(store):
    with store.read() as tx:
        assert tx.accounts(limit=1, cursor=None).next_cursor is None


def test_keys_are_found_by_prefix(store):
    key = a_key(expires_at=NOW + DAY)

    with store.write() as tx:
        tx.add_key(key)
        tx.add_key(a_key(id="key_2", prefix="rk_other"))

    with store.read() as tx:
        assert tx.keys_by_prefix(key.prefix) == (key,)
        assert tx.keys_by_prefix("rk_none") == ()


def test_keys_are_listed_per_owner_oldest_first(store):
    with store.write() as tx:
        tx.add_account(an_account(id="acc_2", reference="salon-2"))
        for key in (
            a_key(id="key_3"),
            a_key(id="key_1"),
            a_key(id="key_2", account_id="acc_2"),
            a_publisher_key(id="key_4"),
        ):
            tx.add_key(key)

    with store.read() as tx:
        assert [key.id for key in tx.keys(ACCOUNT)] == ["key_1", "key_3"]
        assert [key.id for key in tx.keys(None)] == ["key_4"]


def test_a_key_is_revoked_by_its_owner_only(store):
    with store.write() as tx:
        tx.add_key(a_key())
        tx.add_key(a_publisher_key(id="key_2"))

        assert not tx.revoke_key("key_1", account_id="acc_2", now=NOW)
        assert not tx.revoke_key("key_1", account_id=None, now=NOW)
        assert not tx.revoke_key("key_2", account_id=ACCOUNT, now=NOW)
        assert not tx.revoke_key("key_9", account_id=ACCOUNT, now=NOW)
        assert tx.revoke_key("key_1", account_id=ACCOUNT, now=NOW)
        assert tx.revoke_key("key_2", account_id=None, now=NOW)

    with store.read() as tx:
        assert [key.revoked_at for key in tx.keys(ACCOUNT)] == [NOW]


def test_a_key_is_revoked_once(store):
    with store.write() as tx:
        tx.add_key(a_key())
        tx.revoke_key("key_1", account_id=ACCOUNT, now=NOW)
        assert tx.revoke_key("key_1", account_id=ACCOUNT, now=NOW + DAY)

    with store.read() as tx:
        assert [key.revoked_at for key in tx.keys(ACCOUNT)] == [NOW]


def test_a_key_remembers_its_last_use(store):
    with store.write() as tx:
        tx.add_key(a_key())
        tx.touch_key("key_1", NOW + DAY)

    with store.read() as tx:
        assert [key.last_used_at for key in tx.keys(ACCOUNT)] == [NOW + DAY]


def test_resources_are_inserted_and_updated(store):
    put(store, a_resource(id="1", label="Old"), a_resource(id="2", label="Other"))

    put(store, a_resource(id="1", label="New", attributes={"submittable": True}))

    with store.read() as tx:
        found = tx.resources_by_id(ACCOUNT, "schedule", ["2", "1", "9"])
    assert {resource.id: resource.label for resource in found} == {"1": "New", "2": "Other"}
    assert {resource.id: resource.attributes for resource in found}["1"] == {"submittable": True}


def test_replacing_resources_removes_the_others_of_the_kind(store):
    put(store, a_resource(id="1"), a_resource(id="2"))
    with store.write() as tx:
        tx.put_resources(ACCOUNT, "form", [a_resource(kind="form", id="1")], replace=True)

    put(store, a_resource(id="3"), replace=True)

    assert ids_of(store) == ["3"]
    with store.read() as tx:
        assert len(tx.resources_by_id(ACCOUNT, "form", ["1"])) == 1


def test_of_two_resources_with_one_id_the_later_counts(store):
    put(store, a_resource(id="1", label="A"), a_resource(id="1", label="B"))

    with store.read() as tx:
        assert [each.label for each in tx.resources_by_id(ACCOUNT, "schedule", ["1"])] == ["B"]


def test_more_resources_than_fit_one_statement_are_put(store):
    many = [a_resource(id=f"{number:04}") for number in range(1200)]
    put(store, *many)

    put(store, *many)

    assert len(ids_of(store, limit=2000)) == 1200


def test_a_resource_is_deleted(store):
    put(store, a_resource(id="1"))

    with store.write() as tx:
        assert tx.delete_resource(ACCOUNT, "schedule", "1")
        assert not tx.delete_resource(ACCOUNT, "schedule", "1")

    assert ids_of(store) == []


def test_resources_are_listed_by_label_then_id(store):
    put(
        store,
        a_resource(id="3", label="A"),
        a_resource(id="1", label="B"),
        a_resource(id="2", label="A"),
    )

    assert ids_of(store) == ["2", "3", "1"]
    assert ids_of(store, limit=1, offset=1) == ["3"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("mass", ["a1"]),
        ("SSAGE", ["a1"]),
        ("été", ["b2"]),
        ("ÉTÉ", ["b2"]),
        ("B2", ["b2"]),
        ("100%", ["c3"]),
        ("_", []),
        ("%", ["c3"]),
        ("", ["c3", "a1", "b2"]),
    ],
)
def test_search_ignores_case_and_has_no_wildcards(store, search, found):
    put(
        store,
        a_resource(id="a1", label="Massage"),
        a_resource(id="b2", label="Stage d'Été"),
        a_resource(id="c3", label="100% off"),
    )

    assert ids_of(store, search=search) == found
