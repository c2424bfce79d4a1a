"""Replays, missed events and batches over HTTP."""

import pytest

from app.services.replay_pump import pump_replays
from tests.api.site import codes_of, problem_of

SINCE = "2020-01-01T00:00:00Z"
BATCHING = {"max_events": 3, "max_age_seconds": 60}


def paused_with_missed(site, count=2):
    subscription = site.subscribe()
    path = f"/subscriptions/{subscription['id']}"
    site.post(f"{path}/pause")
    for _number in range(count):
        site.context.clock.advance()
        site.publish()
    site.context.clock.advance()
    return path


def test_a_dry_run_counts_at_once_and_sends_nothing(site):
    path = paused_with_missed(site)

    answer = site.post(f"{path}/replays", {"since": SINCE, "only": "missed", "dry_run": True})

    assert (answer.status_code, answer.json) == (200, {"found": 2, "is_partial": False})
    assert site.get(f"{path}/replays").json["data"] == []


def test_a_replay_is_started_watched_and_done(site):
    path = paused_with_missed(site)
    site.post(f"{path}/resume")

    started = site.post(f"{path}/replays", {"since": SINCE, "only": "missed"})
    place = started.headers["Location"]
    pump_replays(site.context)
    done = site.get(place.partition("/api/v1")[2]).json

    assert started.status_code == 202
    assert (started.json["state"], started.json["found"]) == ("running", 2)
    assert (done["state"], done["sent"], done["percent"]) == ("done", 2, 100)
    assert site.send_all() == 2


def test_a_second_replay_has_to_wait(site):
    path = paused_with_missed(site)
    site.post(f"{path}/resume")
    site.post(f"{path}/replays", {"since": SINCE})

    refused = site.post(f"{path}/replays", {"since": SINCE})

    assert (refused.status_code, problem_of(refused)["code"]) == (409, "conflict")


def test_a_cancelled_replay_says_so(site):
    path = paused_with_missed(site)
    site.post(f"{path}/resume")
    replay = site.post(f"{path}/replays", {"since": SINCE}).json

    answers = [site.call("DELETE", f"/replays/{replay['id']}").status_code for _ in range(2)]

    assert answers == [204, 204]
    assert site.get(f"/replays/{replay['id']}").json["state"] == "cancelled"


def test_the_missed_come_as_the_payloads_they_would_have_been(site):
    path = paused_with_missed(site, 3)
    sample = site.get("/triggers/changed_appointment/samples?limit=1").json[0]

    first = site.get(f"{path}/missed?since={SINCE}&limit=2").json
    second = site.get(f"{path}/missed?since={SINCE}&limit=2&cursor={first['next_cursor']}").json

    assert [len(first["data"]), len(second["data"])] == [2, 1]
    [last] = second["data"]
    assert last["payload"] == sample
    assert last["payload"]["id"] == last["event_id"]


def test_a_replay_and_the_missed_are_the_accounts_own(site):
    path = paused_with_missed(site)
    site.post(f"{path}/resume")
    replay = site.post(f"{path}/replays", {"since": SINCE}).json
    stranger = {"key": site.other.key}

    answers = [
        site.get(f"/replays/{replay['id']}", **stranger),
        site.get(f"{path}/replays", **stranger),
        site.get(f"{path}/missed?since={SINCE}", **stranger),
        site.post(f"{path}/replays", {"since": SINCE}, **stranger),
    ]

    assert {one.status_code for one in answers} == {404}


@pytest.mark.parametrize("only", ["everything", None, 1])
def test_an_unknown_kind_is_refused(site, only):
    path = paused_with_missed(site)

    refused = site.post(f"{path}/replays", {"since": SINCE, "only": only})

    assert list(codes_of(refused)) == ["only"]


def test_a_cursor_of_another_list_is_refused(site):
    path = paused_with_missed(site)

    refused = site.get(f"{path}/missed?since={SINCE}&cursor=abc")

    assert codes_of(refused) == {"cursor": "invalid_cursor"}


def test_the_manner_of_delivery_is_kept_shown_and_changed(site):
    manner = {"retry_policy": "brief", "per_second": 5, "batching": BATCHING}

    made = site.subscribe(**manner)
    path = f"/subscriptions/{made['id']}"
    changed = site.call("PATCH", path, {"batching": None, "per_second": 7}).json

    assert {key: made[key] for key in manner} == manner
    assert {key: changed[key] for key in manner} == manner | {"batching": None, "per_second": 7}
    assert site.get(path).json["retry_policy"] == "brief"


@pytest.mark.parametrize(
    ("manner", "field"),
    [
        ({"retry_policy": "forever"}, "retry_policy"),
        ({"per_second": 0}, "per_second"),
        ({"per_second": 1001}, "per_second"),
        ({"batching": {"max_events": 1, "max_age_seconds": 1}}, "batching.max_events"),
        ({"batching": {"max_events": 101, "max_age_seconds": 1}}, "batching.max_events"),
        ({"batching": {"max_events": 2, "max_age_seconds": 3601}}, "batching.max_age_seconds"),
        ({"batching": {"max_events": 2}}, "batching.max_age_seconds"),
    ],
)
def test_a_manner_out_of_bounds_is_refused(site, manner, field):
    body = {"trigger": "changed_appointment", "target_url": "https://hooks.example.com/1"}

    refused = site.post("/subscriptions", body | manner)

    assert list(codes_of(refused)) == [field]


def test_a_delivery_in_a_batch_shows_the_request_that_was_sent(site):
    site.subscribe(batching=BATCHING)
    for _number in range(3):
        site.publish()
    site.send_all()

    listed = site.get("/deliveries").json["data"]
    story = site.get(f"/deliveries/{listed[0]['id']}").json

    [attempt] = story["attempts"]
    sent_ids = [header["value"] for header in attempt["request"]["headers"]]
    assert {one["state"] for one in listed} == {"succeeded"}
    assert attempt["batch_id"] in sent_ids
    assert attempt["request"]["body"].count('"appointment_id"') == 3
    assert attempt["request"]["body"].startswith('[{"')
