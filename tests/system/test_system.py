"""This machine: ids, the bell between processes, the log."""

import json
import logging
import threading
import time
from datetime import UTC, datetime

import pytest

from app.system.dice import SystemDice
from app.system.doorbell import LocalDoorbell, ProcessDoorbell
from app.system.logs import JsonFormatter, TextFormatter


def test_later_ids_sort_after_earlier_ones():
    dice = SystemDice()

    ids = [dice.new_id("evt") for _ in range(10_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_ids_say_what_they_name_and_have_one_length():
    ids = [SystemDice().new_id("sub") for _ in range(100)]

    assert {one.partition("_")[0] for one in ids} == {"sub"}
    assert {len(one) for one in ids} == {len("sub_") + 26}


def test_ids_of_two_processes_do_not_meet():
    assert SystemDice().new_id("evt")[-10:] != SystemDice().new_id("evt")[-10:]


def test_ids_of_threads_that_share_dice_are_all_different():
    dice, ids = SystemDice(), []
    threads = [
        threading.Thread(target=lambda: ids.extend(dice.new_id("evt") for _ in range(2_000)))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(set(ids)) == 8_000


def test_a_forked_process_draws_its_own_chance(monkeypatch):
    dice = SystemDice()
    dice.new_id("evt")
    begun, stock = dice._used, dice._stock

    monkeypatch.setattr("app.system.dice._forks.count", 1)  # as a fork does
    drawn = dice.new_id("evt")[-16:]

    assert drawn not in (stock[begun : begun + 16], stock[:16])
    assert dice._stock != stock


def test_an_id_sorts_by_its_time_also_across_processes(monkeypatch):
    ids = []
    for year in (2026, 2027, 2060, 2115):
        moment = datetime(year, 1, 1, tzinfo=UTC).timestamp()
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: int(moment * 1e9))
        ids.append(SystemDice().new_id("evt"))

    assert ids == sorted(ids)


def test_a_clock_that_is_set_back_does_not_undo_the_order(monkeypatch):
    dice = SystemDice()
    first = dice.new_id("evt")
    monkeypatch.setattr(time, "time_ns", lambda: 0)

    assert dice.new_id("evt")[:14] > first[:14]


@pytest.fixture
def bells(tmp_path):
    """One that rings and two that listen, as of three processes."""
    made = [LocalDoorbell(str(tmp_path), listens=listens) for listens in (False, True, True)]
    yield made
    for one in made:
        one.close()


def test_a_ring_wakes_every_listener(bells):
    ringer, *listeners = bells

    ringer.ring()

    assert [one.wait(5) for one in listeners] == [True, True]


def test_a_ring_before_the_wait_is_not_lost_and_counts_once(bells):
    ringer, listener, _ = bells

    ringer.ring()
    ringer.ring()

    assert listener.wait(5)
    assert not listener.wait(0)


def test_nobody_rang_is_said_after_the_timeout(bells):
    assert not bells[1].wait(0)


def test_ringing_never_fails_and_cleans_up_after_the_dead(bells):
    ringer, listener, other = bells
    dead = listener._path
    listener._socket.close()

    ringer.ring()

    assert not dead.exists()
    assert other.wait(5)


def test_a_full_queue_does_not_block(bells):
    for _ in range(5_000):
        bells[0].ring()

    assert bells[1].wait(5)


def test_deployments_do_not_hear_each_other(bells, tmp_path):
    other = LocalDoorbell(str(tmp_path / "other"), listens=True)

    bells[0].ring()

    assert not other.wait(0)
    other.close()


def test_the_bell_of_one_process_wakes_a_waiting_thread():
    bell, heard = ProcessDoorbell(), []
    thread = threading.Thread(target=lambda: heard.append(bell.wait(5)))
    thread.start()

    bell.ring()
    thread.join()

    assert heard == [True]


@pytest.fixture
def record():
    made = logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO", "name": "relais"})
    made.msg = "delivery.attempted"
    made.delivery = "dlv_1"
    made.host = "hooks.example.com"
    return made


def test_a_json_line_has_the_event_and_its_ids(record):
    line = json.loads(JsonFormatter().format(record))

    assert line["event"] == "delivery.attempted"
    assert (line["level"], line["delivery"], line["host"]) == ("info", "dlv_1", "hooks.example.com")


def test_a_text_line_can_be_read(record):
    line = TextFormatter().format(record)

    assert line.endswith("info    delivery.attempted delivery=dlv_1 host=hooks.example.com")
