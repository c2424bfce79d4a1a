import base64
import os
from dataclasses import replace

import pytest

from app.storage import Vault, VaultError
from app.storage.vault import Place

HERE = Place(table="subscriptions", column="secret", row_id="sub_1", account_id="acc_1")
OLD = ("old", bytes(range(32)))
NEW = ("new", bytes(range(100, 132)))


def test_what_is_sealed_opens():
    vault = Vault([NEW])

    assert vault.open(vault.seal("whsec_é", place=HERE), place=HERE) == "whsec_é"


def test_a_sealed_secret_does_not_show_it():
    envelope = Vault([NEW]).seal("canary", place=HERE)

    assert envelope.startswith("v1.new.")
    assert envelope.count(".") == 3
    assert "canary" not in envelope


def test_two_seals_differ():
    vault = Vault([NEW])

    assert vault.seal("a", place=HERE) != vault.seal("a", place=HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [{"table": "accounts"}, {"column": "name"}, {"row_id": "sub_2"}, {"account_id": "acc_2"}],
)
def test_a_sealed_secret_opens_nowhere_else(elsewhere):
    vault = Vault([NEW])
    envelope = vault.seal("a", place=HERE)

    with pytest.raises(VaultError):
        vault.open(envelope, place=replace(HERE, **elsewhere))


def test_every_key_of_the_ring_opens_and_the_first_one_seals():
    envelope = Vault([OLD]).seal("a", place=HERE)
    ring = Vault([NEW, OLD])

    assert ring.open(envelope, place=HERE) == "a"
    assert ring.seal("a", place=HERE).startswith(ring.current_prefix)
    assert ring.current_prefix == "v1.new."


def test_a_key_that_left_the_ring_opens_nothing():
    envelope = Vault([OLD]).seal("a", place=HERE)

    with pytest.raises(VaultError):
        Vault([NEW]).open(envelope, place=HERE)


def test_another_key_of_the_same_id_opens_nothing():
    envelope = Vault([OLD]).seal("a", place=HERE)

    with pytest.raises(VaultError):
        Vault([("old", NEW[1])]).open(envelope, place=HERE)


def test_a_changed_envelope_does_not_open():
    vault = Vault([NEW])
    version, key_id, nonce, sealed = vault.seal("secret", place=HERE).split(".")
    flipped = ("B" if sealed[0] == "A" else "A") + sealed[1:]
    changed = [
        "",
        "secret",
        f"v2.{key_id}.{nonce}.{sealed}",
        f"{version}.{key_id}.{nonce}.{flipped}",
        f"{version}.{key_id}.{nonce}.",
        f"{version}.{key_id}.AA.{sealed}",
        f"{version}.{key_id}.{nonce}.{sealed}!",
        f"{version}.{key_id}.é.{sealed}",
    ]

    for envelope in changed:
        with pytest.raises(VaultError):
            vault.open(envelope, place=HERE)


@pytest.mark.parametrize(
    "ring",
    [
        [],
        [("k", b"")],
        [("k", bytes(range(31)))],
        [("k", bytes(range(33)))],
        [("k", b"\0" * 32)],
        [("k", b"changeme" * 4)],
        [("", OLD[1])],
        [("a.b", OLD[1])],
        [("k" * 33, OLD[1])],
        [("k", OLD[1]), ("k", NEW[1])],
    ],
)
def test_an_unsafe_ring_is_refused(ring):
    with pytest.raises(VaultError):
        Vault(ring)


def test_random_keys_are_never_called_unsafe():
    for _ in range(200):
        Vault([("k", os.urandom(32))])


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_ring_is_read_from_text(encode):
    key = bytes(range(224, 256))
    text = f"new:{encode(key).decode()}, old:{encode(OLD[1]).decode().rstrip('=')}"

    ring = Vault.from_text(text)

    assert ring.current_prefix == "v1.new."
    assert ring.open(Vault([("new", key)]).seal("a", place=HERE), place=HERE) == "a"
    assert ring.open(Vault([OLD]).seal("a", place=HERE), place=HERE) == "a"


@pytest.mark.parametrize("text", ["", ",", "k", "k:", "k:???", ":AAAA", "hunter2hunter2"])
def test_a_ring_that_cannot_be_read_is_refused_without_repeating_it(text):
    with pytest.raises(VaultError) as caught:
        Vault.from_text(text)

    assert "hunter2" not in str(caught.value)
