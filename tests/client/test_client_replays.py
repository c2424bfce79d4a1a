from datetime import UTC, datetime

import pytest

from relais_client import (
    Batching,
    Missed,
    NewSubscription,
    Replay,
    ReplayCount,
    UnreachableError,
)

AT = datetime(2031, 3, 1, 9, 12, 44, tzinfo=UTC)
TEXT = "2031-03-01T09:12:44Z"
RUNNING = {
    "id": "rpl_1",
    "subscription_id": "sub_1",
    "since": TEXT,
    "until": TEXT,
    "only": "missed",
    "state": "running",
    "found": 14,
    "sent": 3,
    "percent": 20,
    "created_at": TEXT,
    "finished_at": None,
    "a_later_addition": 1,
}
READ = Replay(
    id="rpl_1",
    subscription_id="sub_1",
    since=AT,
    until=AT,
    only="missed",
    state="running",
    found=14,
    sent=3,
    percent=20,
    created_at=AT,
    finished_at=None,
)


def last(fake):
    request = fake.requests[-1]
    return request.method, request.path.removeprefix("/api/v1"), request.body


def test_a_dry_run_counts(fake, relais):
    fake.answers(200, {"found": 14, "is_partial": True})

    count = relais.count_replay("sub_1", since=AT, only="missed", account="acc_1")

    assert count == ReplayCount(found=14, is_partial=True)
    wanted = {"since": TEXT, "only": "missed", "dry_run": True}
    assert last(fake) == ("POST", "/subscriptions/sub_1/replays", wanted)
    assert fake.requests[-1].headers["Relais-Account"] == "acc_1"


def test_a_replay_is_started_read_listed_and_cancelled(fake, relais):
    fake.answers(202, RUNNING).answers(200, RUNNING)
    fake.answers(200, {"data": [RUNNING], "next_cursor": None}).answers(204)

    assert relais.start_replay("sub_1", since=AT, until=AT) == READ
    assert last(fake)[2] == {"since": TEXT, "until": TEXT, "only": "failed"}
    assert relais.get_replay("rpl_1") == READ
    assert list(relais.list_replays("sub_1")) == [READ]
    relais.cancel_replay("rpl_1")
    assert last(fake) == ("DELETE", "/replays/rpl_1", None)


def test_the_missed_come_page_by_page(fake, relais):
    entry = {
        "event_id": "evt_1",
        "event_type": "appointment.create",
        "trigger": "changed_appointment",
        "received_at": TEXT,
        "payload": {"id": "evt_1"},
    }
    fake.answers(200, {"data": [entry], "next_cursor": "more"})
    fake.answers(200, {"data": [], "next_cursor": None})

    found = list(relais.list_missed("sub_1", since=AT))

    assert found == [Missed(**{**entry, "received_at": AT})]
    assert [one.query for one in fake.requests] == [
        {"since": [TEXT]},
        {"since": [TEXT], "cursor": ["more"]},
    ]


def test_a_replay_is_never_started_twice(fake, relais):
    fake.drops()

    with pytest.raises(UnreachableError):
        relais.start_replay("sub_1", since=AT)

    assert len(fake.requests) == 1


def test_a_naive_time_is_refused_before_anything_is_sent(fake, relais):
    with pytest.raises(ValueError, match="since"):
        relais.start_replay("sub_1", since=datetime(2031, 3, 1))  # noqa: DTZ001 - the mistake

    assert fake.requests == []


def test_a_subscription_can_ask_for_its_manner_of_delivery():
    wanted = NewSubscription(
        triggers=["purchase"],
        target_url="https://hooks.example.com/1",
        retry_policy="brief",
        per_second=5,
        batching=Batching(max_events=10, max_age_seconds=60),
    ).to_json()

    assert (wanted["retry_policy"], wanted["per_second"]) == ("brief", 5)
    assert wanted["batching"] == {"max_events": 10, "max_age_seconds": 60}
