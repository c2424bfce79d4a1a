"""One account sees nothing of another: its ids answer like ids that never were (A01)."""

import pytest

from tests.api.site import problem_of
from tests.api.test_operations import DOCUMENT

# Every operation of account keys that names something by id, and what it takes.
BY_ID = {
    ("get", "/subscriptions/{subscription_id}"): None,
    ("patch", "/subscriptions/{subscription_id}"): {"name": "Mine now"},
    ("delete", "/subscriptions/{subscription_id}"): None,
    ("post", "/subscriptions/{subscription_id}/pause"): None,
    ("post", "/subscriptions/{subscription_id}/resume"): None,
    ("post", "/subscriptions/{subscription_id}/secret"): None,
    ("post", "/subscriptions/{subscription_id}/confirmation"): {"secret": "abc"},
    ("post", "/subscriptions/{subscription_id}/test"): None,
    ("post", "/subscriptions/{subscription_id}/replays"): {"since": "2020-01-01T00:00:00Z"},
    ("get", "/subscriptions/{subscription_id}/replays"): None,
    ("get", "/subscriptions/{subscription_id}/missed"): None,
    ("get", "/replays/{replay_id}"): None,
    ("delete", "/replays/{replay_id}"): None,
    ("get", "/events/{event_id}"): None,
    ("get", "/events/{event_id}/explanations"): None,
    ("get", "/deliveries/{delivery_id}"): None,
    ("post", "/deliveries/{delivery_id}/redeliver"): None,
}
UNKNOWN = {
    "subscription_id": "sub_9",
    "event_id": "evt_9",
    "delivery_id": "dlv_9",
    "replay_id": "rpl_9",
}


def _ids(site):
    subscription = site.subscribe()
    event = site.publish().json
    site.send_all()
    delivery = site.get("/deliveries").json["data"][0]
    site.context.clock.advance()
    replays = f"/subscriptions/{subscription['id']}/replays"
    replay = site.post(replays, {"since": "2020-01-01T00:00:00Z"}).json
    return {
        "replay_id": replay["id"],
        "subscription_id": subscription["id"],
        "event_id": event["id"],
        "delivery_id": delivery["id"],
    }


def test_every_operation_by_id_is_in_this_matrix():
    described = {
        (method, path.removeprefix("/api/v1"))
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if "_id}" in path and not path.startswith(("/api/v1/accounts", "/api/v1/keys"))
    }

    assert set(BY_ID) == described


@pytest.mark.parametrize(("method", "path"), sorted(BY_ID))
def test_another_accounts_id_answers_like_an_unknown_one(site, method, path):
    ids, body = _ids(site), BY_ID[method, path]

    theirs = site.call(method.upper(), path.format(**ids), body, key=site.other.key)
    unknown = site.call(method.upper(), path.format(**UNKNOWN), body, key=site.other.key)

    assert theirs.status_code == unknown.status_code
    if method == "delete":
        assert (theirs.status_code, theirs.data) == (204, b"")
        assert unknown.data == b""
    else:
        assert theirs.status_code == 404
        assert problem_of(theirs) == problem_of(unknown)


def test_another_account_changed_nothing(site):
    ids = _ids(site)
    before = site.get(f"/subscriptions/{ids['subscription_id']}").json

    for (method, path), body in BY_ID.items():
        site.call(method.upper(), path.format(**ids), body, key=site.other.key)

    assert site.get(f"/subscriptions/{ids['subscription_id']}").json == before
    assert site.get(f"/deliveries/{ids['delivery_id']}").json["state"] == "succeeded"
    assert site.get(f"/replays/{ids['replay_id']}").json["state"] == "running"


@pytest.mark.parametrize("path", ["/subscriptions", "/events", "/deliveries"])
def test_lists_hold_the_callers_own_only(site, path):
    _ids(site)

    assert len(site.get(path).json["data"]) == 1
    assert site.get(path, key=site.other.key).json["data"] == []


def test_lists_are_not_opened_by_another_accounts_ids(site):
    ids = _ids(site)

    query = f"/deliveries?subscription_id={ids['subscription_id']}"

    assert len(site.get(query).json["data"]) == 1
    assert site.get(query, key=site.other.key).json["data"] == []


def test_a_cursor_of_another_account_opens_nothing(site):
    for number in range(2):
        site.subscribe(target_url=f"https://hooks.example.com/{number}")
    cursor = site.get("/subscriptions?limit=1").json["next_cursor"]

    answer = site.get(f"/subscriptions?cursor={cursor}", key=site.other.key)

    assert answer.json["data"] == []


def test_a_subscription_cannot_use_another_accounts_resources(site):
    site.put_resources("schedule", "51423")

    answer = site.post(
        "/subscriptions",
        {
            "trigger": "changed_appointment",
            "target_url": "https://hooks.example.com/1",
            "resource_ids": ["51423"],
        },
        key=site.other.key,
    )

    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "unknown_resource"


def test_events_fire_only_the_subscriptions_of_their_account(site):
    site.subscribe(key=site.other.key)

    assert site.publish().json["deliveries"] == 0


def test_a_publisher_reads_any_event_or_those_of_the_account_it_names(site):
    event_id = site.publish().json["id"]

    def status(**headers):
        return site.get(f"/events/{event_id}", key=site.publisher, headers=headers).status_code

    assert status() == 200
    assert status(**{"Relais-Account": "salon-1"}) == 200
    assert status(**{"Relais-Account": "salon-2"}) == 404
