"""What a store says about itself when it cannot be written."""

import os
from types import SimpleNamespace

import pytest

from app.core.errors import UnavailableError
from tests.builders import NOW
from tests.contracts.stores import file_store, memory_store


@pytest.fixture
def store(tmp_path):
    opened = file_store(tmp_path)
    yield opened
    opened.close()


def codes(store):
    return [one.code for one in store.problems(now=NOW)]


def with_room_for(monkeypatch, room):
    found = SimpleNamespace(f_bavail=room, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", lambda _path: found)


def test_a_disk_without_room_for_an_event_is_full_though_a_small_write_works(store, monkeypatch):
    with_room_for(monkeypatch, 100_000)

    assert codes(store) == ["disk_full"]


def test_a_disk_with_room_for_an_event_will_do(store, monkeypatch):
    with_room_for(monkeypatch, 600_000)

    assert codes(store) == []


def test_a_database_in_memory_needs_no_disk(tmp_path, monkeypatch):
    with_room_for(monkeypatch, 0)
    in_memory = memory_store(tmp_path)

    assert codes(in_memory) == []

    in_memory.close()


def test_a_database_that_takes_no_writes_says_so_though_it_can_be_read(store, monkeypatch):
    def locked():
        raise UnavailableError("The database is locked.")

    monkeypatch.setattr(store.database, "writing", locked)

    store.ping()
    assert codes(store) == ["unwritable"]


def test_every_look_really_writes(store):
    def written():
        with store.database.reading() as connection:
            return connection.exec_driver_sql("SELECT until FROM leadership").scalars().all()

    assert written() == []
    store.problems(now=NOW)
    assert len(written()) == 1
