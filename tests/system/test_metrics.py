"""Counting: in threads, over processes, through deaths and restarts."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from app.core.deliveries import Outcome, OutcomeKind
from app.core.metering import FAMILIES, NoMeter
from app.system.metrics import SharedTally
from app.system.metrics_server import MetricsServer
from app.system.tally import Tally, outcome_label

EVENTS = ("relais_ingest_events_total",)
SLOTS_USED = ("relais_worker_slots_used",)
# A process that counts, says so, and waits to be killed.
OTHER_PROCESS = """
import sys, time
from pathlib import Path
from app.system.metrics import SharedTally
tally = SharedTally(Path(sys.argv[1]))
tally.ingested(5, 0.1, in_batch=True)
tally.slots(7, 64)
tally.write()
print("counted", flush=True)
time.sleep(60)
"""


def an_outcome(kind=OutcomeKind.SUCCEEDED, status_code=200, duration_ms=30):
    return Outcome(kind=kind, duration_ms=duration_ms, status_code=status_code)


def do_everything(meter):
    meter.ingested(1, 0.001, in_batch=False)
    meter.ingest_refused("invalid_request")
    meter.claimed(3, 0.002)
    meter.attempt_ended("zapier", an_outcome())
    meter.first_attempt_began(0.01)
    meter.settled(3, 0.002)
    meter.leases_lost(1)
    meter.breaker_opened()
    meter.notified("subscription.suspended")
    meter.slots(3, 64)
    meter.job_ran("prune", 0.5, failed=False)


@pytest.fixture
def opened(tmp_path):
    """Open tallies of one folder, as many processes would; all are closed at the end."""
    tallies = []

    def make():
        tallies.append(SharedTally(tmp_path / "metrics"))
        return tallies[-1]

    yield make
    for one in tallies:
        if one.is_open:
            one.close()


def test_everything_that_happens_is_counted_in_its_family():
    tally = Tally()

    do_everything(tally)

    read = tally.read()
    assert {series[0] for series in read} == set(FAMILIES)
    for series, numbers in read.items():
        family = FAMILIES[series[0]]
        assert len(numbers) == family.width
        assert len(series) == len(family.labels) + 1


def test_no_meter_takes_everything_and_counts_nothing():
    meter = NoMeter()

    do_everything(meter)

    assert meter.read() == {}


def test_a_duration_falls_into_the_first_bucket_that_holds_it():
    tally = Tally()
    for seconds in (0.001, 0.0011, 99.0):
        tally.claimed(0, seconds)

    numbers = tally.read()[("relais_claim_seconds",)]

    assert numbers[:2] == (1, 1)
    assert numbers[-2] == 1
    assert numbers[-1] == pytest.approx(99.0021)


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        (an_outcome(), "succeeded"),
        (an_outcome(OutcomeKind.HTTP_STATUS, 404), "http_4xx"),
        (an_outcome(OutcomeKind.HTTP_STATUS, 410), "http_410"),
        (an_outcome(OutcomeKind.HTTP_STATUS, 429), "http_429"),
        (an_outcome(OutcomeKind.HTTP_STATUS, 503), "http_5xx"),
        (an_outcome(OutcomeKind.READ_TIMEOUT, None), "read_timeout"),
    ],
)
def test_attempts_are_told_apart_by_what_they_came_to(outcome, label):
    assert outcome_label(outcome) == label


def test_labels_stay_few_whatever_is_counted():
    tally = Tally()
    for number in range(1_000):
        tally.ingest_refused(f"code_{number}")

    codes = [one for one in tally.read() if one[0] == "relais_ingest_refusals_total"]

    assert len(codes) <= 101
    assert sum(tally.read()[one][0] for one in codes) == 1_000


def test_threads_lose_no_count():
    tally = Tally()

    def count():
        for _ in range(5_000):
            tally.ingested(1, 0.001, in_batch=False)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert tally.read()[EVENTS] == (20_000,)


def test_whoever_is_asked_tells_of_all(opened):
    one, two = opened(), opened()
    one.ingested(3, 0.1, in_batch=True)
    two.ingested(4, 0.1, in_batch=True)
    two.write()

    assert tuple(one.read()[EVENTS]) == (7,)
    one.write()
    assert tuple(two.read()[EVENTS]) == (7,)


def test_who_comes_after_counts_on(opened):
    first = opened()
    first.ingested(3, 0.1, in_batch=True)
    first.slots(5, 64)
    first.close()

    second = opened()
    second.ingested(1, 0.1, in_batch=True)

    assert tuple(second.read()[EVENTS]) == (4,)
    assert SLOTS_USED not in second.read()


def test_what_a_stopped_process_counted_stays_and_what_it_held_does_not(opened):
    one, two = opened(), opened()
    two.ingested(4, 0.1, in_batch=True)
    two.slots(5, 64)
    two.write()
    assert tuple(one.read()[SLOTS_USED]) == (5,)

    two.close()

    assert tuple(one.read()[EVENTS]) == (4,)
    assert SLOTS_USED not in one.read()


def test_a_killed_process_leaves_its_count_to_the_next(tmp_path, opened):
    folder = tmp_path / "metrics"
    command = [sys.executable, "-c", OTHER_PROCESS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  ours
        assert process.stdout.readline() == b"counted\n"
        one = opened()
        assert tuple(one.read()[SLOTS_USED]) == (7,)
        process.kill()

    assert tuple(one.read()[EVENTS]) == (5,)
    assert SLOTS_USED not in one.read()
    opened()
    assert len(list(folder.glob("*.lock"))) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '[["x"]]', '[[["relais_ingest_events_total"], [1, 2]]]', "\0"]
)
def test_a_damaged_file_counts_as_nothing(tmp_path, opened, content):
    folder = tmp_path / "metrics"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.json").write_text(content)

    assert tuple(opened().read().get(EVENTS, ())) == ()


def test_a_disk_that_is_full_costs_nothing_but_a_line(opened, monkeypatch, caplog):
    tally = opened()
    tally.ingested(1, 0.1, in_batch=True)

    def full(_self, _text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    tally.write()

    assert [one.message for one in caplog.records] == ["metrics.not_written"]
    assert tuple(tally.read()[EVENTS]) == (1,)
    monkeypatch.undo()


def test_a_quiet_process_writes_nothing(tmp_path, opened):
    tally = opened()
    tally.ingested(1, 0.1, in_batch=True)
    tally.write()
    [path] = (tmp_path / "metrics").glob("*.json")
    assert json.loads(path.read_text())
    os.utime(path, (1, 1))

    tally.write()

    assert path.stat().st_mtime == 1


def test_a_port_of_its_own_shows_the_metrics_and_nothing_else():
    server = MetricsServer(0, lambda: "up 1\n")
    server.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:  # noqa: S310  loopback
            assert answer.read() == b"up 1\n"
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, timeout=5)
        caught.value.close()
        assert caught.value.code == 404
    finally:
        server.close()
