"""Subscribing, finding, changing and ending subscriptions; dry runs."""

from datetime import timedelta

import pytest

from app.core.subscriptions import SubscriptionState
from tests.api.site import TARGET, Site, codes_of, problem_of
from tests.contexts import a_context, some_rules

WISH = {"trigger": "changed_appointment", "target_url": TARGET}


def test_subscribing_answers_201_with_an_absolute_location_and_the_secret_once(site):
    answer = site.post("/subscriptions", WISH)

    made = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://localhost/api/v1/subscriptions/{made['id']}"
    assert made["links"]["self"] == answer.headers["Location"]
    assert made["secret"].startswith("whsec_")
    assert (made["trigger"], made["triggers"]) == (WISH["trigger"], [WISH["trigger"]])
    assert made["state"] == "active"
    assert "secret" not in site.get(f"/subscriptions/{made['id']}").json
    assert "secret" not in site.get("/subscriptions").json["data"][0]


def test_the_location_begins_with_the_public_url():
    site = Site(public_url="https://relais.example.com")

    answer = site.post("/subscriptions", WISH, headers={"Host": "evil.example"})

    site.close()
    assert answer.headers["Location"].startswith("https://relais.example.com/api/v1/subscr")


def test_the_identical_request_returns_the_existing_one(site):
    first = site.post("/subscriptions", WISH)
    again = site.post("/subscriptions", WISH)

    assert again.status_code == 200
    assert "secret" not in again.json
    assert again.json == {key: one for key, one in first.json.items() if key != "secret"}


@pytest.mark.parametrize(
    "other",
    [
        {"target_url": "https://hooks.example.com/2"},
        {"trigger": "new_appointment"},
        {"filters": {"event": "destroy"}},
        {"resource_ids": ["51423"]},
    ],
)
def test_what_differs_is_another_subscription(site, other):
    site.put_resources("schedule", "51423")
    site.subscribe()

    assert site.post("/subscriptions", WISH | other).status_code == 201


def test_an_ended_subscription_can_be_made_again(site):
    first = site.subscribe()
    site.call("DELETE", f"/subscriptions/{first['id']}")

    again = site.post("/subscriptions", WISH)

    assert again.status_code == 201
    assert again.json["id"] != first["id"]


@pytest.mark.parametrize(
    ("wish", "codes"),
    [
        ({}, {"target_url": "required"}),
        ({"target_url": TARGET}, {"trigger": "required"}),
        ({**WISH, "trigger": "nope"}, {"trigger": "unknown_trigger"}),
        ({**WISH, "trigger": 5}, {"triggers.0": "wrong_type"}),
        ({**WISH, "trigger": None}, {"triggers": "wrong_type"}),
        ({"triggers": [], "target_url": TARGET}, {"triggers": "invalid"}),
        ({**WISH, "target_url": "http://example.com/"}, {"target_url": "scheme"}),
        ({**WISH, "target_url": "https://10.0.0.1/"}, None),
        ({**WISH, "target_url": 5}, {"target_url": "wrong_type"}),
        ({**WISH, "platform": "nope"}, {"platform": "unknown_platform"}),
        ({**WISH, "resource_ids": ["9"]}, {"resource_ids": "unknown_resource"}),
        ({**WISH, "filters": {"nope": 1}}, {"filters.nope": "unknown_field"}),
        ({**WISH, "filters": {"event": "nope"}}, {"filters.event": "unknown_choice"}),
        ({**WISH, "filters": [1]}, {"filters": "wrong_type"}),
        ({**WISH, "filters": {"all": []}}, {"filters.all": "invalid_filter"}),
        ({"trigger": "on_update", "target_url": TARGET}, {"resource_ids": "required"}),
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused_by_field(site, wish, codes):
    answer = site.post("/subscriptions", wish)

    assert answer.status_code == 422
    if codes is None:
        assert set(codes_of(answer)) == {"target_url"}
    else:
        assert codes_of(answer) == codes


def test_every_problem_is_named_at_once(site):
    answer = site.post(
        "/subscriptions",
        {"trigger": "changed_appointment", "target_url": "ftp://x", "filters": {"nope": 1}},
    )

    assert set(codes_of(answer)) == {"target_url", "filters.nope"}


def test_a_trigger_that_the_account_lacks_a_feature_for_is_unavailable(site):
    site.call("PATCH", "/accounts/salon-1", {"features": {"shop": False}}, key=site.publisher)

    answer = site.post("/subscriptions", {**WISH, "trigger": "purchase"})

    assert answer.status_code == 422
    assert problem_of(answer)["code"] == "trigger_unavailable"
    assert codes_of(answer) == {"trigger": "trigger_unavailable"}


def test_an_account_has_a_limit():
    site = Site(a_context(rules=some_rules(max_subscriptions_per_account=1)))
    site.subscribe()

    answer = site.post("/subscriptions", {**WISH, "target_url": f"{TARGET}2"})
    again = site.post("/subscriptions", WISH)

    site.close()
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "limit_reached")
    assert again.status_code == 200


def test_subscriptions_are_found_by_url_trigger_and_state(site):
    first = site.subscribe()
    second = site.subscribe(trigger="new_user", target_url="https://hooks.example.com:443/2")
    site.post(f"/subscriptions/{second['id']}/pause")

    def found(**query):
        return [one["id"] for one in site.get("/subscriptions", query_string=query).json["data"]]

    assert found() == [second["id"], first["id"]]
    assert found(target_url=TARGET) == [first["id"]]
    assert found(target_url="HTTPS://hooks.example.com/2") == [second["id"]]
    assert found(target_url="https://hooks.example.com:443/2") == [second["id"]]
    assert found(trigger="new_user") == [second["id"]]
    assert found(state="paused") == [second["id"]]
    assert found(target_url="nonsense") == []


def test_lists_come_by_page(site):
    ids = [site.subscribe(target_url=f"{TARGET}/{number}")["id"] for number in range(3)]

    first = site.get("/subscriptions?limit=2").json
    second = site.get(f"/subscriptions?limit=2&cursor={first['next_cursor']}").json

    assert [one["id"] for one in first["data"] + second["data"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_filters_are_answered_normalised_and_in_words(site):
    made = site.subscribe(filters={"event": ["destroy"], "role": "3"})
    path = f"/subscriptions/{made['id']}"

    assert made["filters"] == {
        "all": [
            {"field": "event", "op": "in", "value": ["destroy"]},
            {"field": "role", "op": "in", "value": [3]},
        ]
    }
    words = {
        language: site.get(path, headers={"Accept-Language": language}).json["filters_text"]
        for language in ("en-GB", "fr-CA,fr;q=0.9", "ja", "de")
    }
    assert words["en-GB"] == words["de"] == "Event is Deleted and Role is Regular user"
    assert words["fr-CA,fr;q=0.9"] == site.get(f"{path}?language=fr").json["filters_text"]
    assert len(set(words.values())) == 3


def test_numbers_in_a_filter_keep_their_digits(site):
    made = site.post(
        "/subscriptions",
        data=b'{"trigger":"changed_appointment","target_url":"https://hooks.example.com/1",'
        b'"filters":{"field":"price","op":"gt","value":45.50}}',
        content_type="application/json",
    )

    assert made.status_code == 201
    assert b'"value":45.50' in site.get(f"/subscriptions/{made.json['id']}").data


def test_what_is_changed_is_changed_and_the_rest_stays(site):
    made = site.subscribe(filters={"event": "destroy"}, name="First")
    path = f"/subscriptions/{made['id']}"
    site.context.clock.advance()

    renamed = site.call("PATCH", path, {"name": "Second"}).json
    unfiltered = site.call("PATCH", path, {"filters": None}).json
    moved = site.call("PATCH", path, {"triggers": ["new_user", "changed_user"]}).json

    assert (renamed["name"], renamed["filters"]) == ("Second", made["filters"])
    assert (unfiltered["filters"], unfiltered["filters_text"]) == (None, None)
    assert (moved["trigger"], moved["triggers"]) == ("new_user", ["new_user", "changed_user"])
    assert moved["name"] == "Second"
    assert moved["updated_at"] > made["updated_at"]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"target_url": "https://10.0.0.1/"}, None),
        ({"target_url": ""}, {"target_url": "invalid"}),
        ({"name": None}, {"name": "wrong_type"}),
        ({"trigger": "nope"}, {"trigger": "unknown_trigger"}),
        ({"platform": "nope"}, {"platform": "unknown_platform"}),
        ({"signature": "ed25519"}, {"signature": "unknown_field"}),
    ],
)
def test_a_change_is_checked_like_a_wish(site, change, codes):
    made = site.subscribe()

    answer = site.call("PATCH", f"/subscriptions/{made['id']}", change)

    assert answer.status_code == 422
    assert codes is None or codes_of(answer) == codes


def test_the_platform_can_be_changed_and_left_to_the_url_again(site):
    path = f"/subscriptions/{site.subscribe()['id']}"

    given = site.call("PATCH", path, {"platform": "make"}).json
    told = site.call("PATCH", path, {"platform": None}).json

    assert (given["platform"], told["platform"]) == ("make", "generic")


def test_a_platform_is_understood_as_the_command_line_spells_it(site):
    made = site.subscribe(platform="power-automate")

    assert made["platform"] == "power_automate"


def test_who_names_no_platform_that_there_is_gets_the_choices(site):
    answer = site.post("/subscriptions", {**WISH, "platform": "myspace"})

    [problem] = answer.json["errors"]
    assert "generic, zapier, make, n8n, power_automate" in problem["message"]


def test_becoming_identical_to_another_is_a_conflict(site):
    site.subscribe()
    second = site.subscribe(target_url=f"{TARGET}/2")

    answer = site.call("PATCH", f"/subscriptions/{second['id']}", {"target_url": TARGET})

    assert answer.status_code == 409


def test_a_subscription_pauses_and_resumes(site):
    path = f"/subscriptions/{site.subscribe()['id']}"

    paused = site.post(f"{path}/pause").json
    fired_while_paused = site.publish().json["deliveries"]
    resumed = site.post(f"{path}/resume").json

    assert (paused["state"], paused["state_reason"]) == ("paused", "paused_by_person")
    assert fired_while_paused == 0
    assert (resumed["state"], resumed["state_reason"]) == ("active", None)


def test_a_move_to_another_host_answers_the_new_secret_once(site):
    made = site.subscribe()
    path = f"/subscriptions/{made['id']}"

    renamed = site.call("PATCH", path, {"name": "Moved"}).json
    moved = site.call("PATCH", path, {"target_url": "https://elsewhere.example.com/1"}).json

    assert "secret" not in renamed
    assert moved["secret"].startswith("whsec_")
    assert moved["secret"] != made["secret"]
    assert "secret" not in site.get(path).json


def test_deleting_is_idempotent(site):
    made = site.subscribe()
    path = f"/subscriptions/{made['id']}"

    answers = [site.call("DELETE", path) for _ in range(2)]
    answers.append(site.call("DELETE", "/subscriptions/sub_never"))
    answers.append(site.call("DELETE", "/subscriptions/whatever"))

    assert [(one.status_code, one.data) for one in answers] == [(204, b"")] * 4
    assert site.get(path).status_code == 404
    assert site.get("/subscriptions").json["data"] == []


def test_deleting_cancels_what_waits(site):
    made = site.subscribe()
    site.publish()

    site.call("DELETE", f"/subscriptions/{made['id']}")

    assert site.get("/deliveries").json["data"][0]["state"] == "cancelled"
    assert site.send_all() == 0


def test_a_gone_target_ends_the_subscription(site):
    made = site.subscribe()
    site.publish()

    site.send_all(status_code=410)

    assert site.get(f"/subscriptions/{made['id']}").status_code == 404
    with site.context.store.read() as tx:
        assert tx.subscription(made["id"]).state is SubscriptionState.ENDED


def test_activity_is_counted(site):
    made = site.subscribe()
    site.publish()
    site.send_all()

    seen = site.get(f"/subscriptions/{made['id']}").json

    assert seen["delivery_count"] == 1
    assert seen["last_delivery_at"] == "2026-03-01T12:00:00.000Z"


def test_where_all_is_well_the_health_is_empty(site):
    made = site.subscribe()

    seen = site.get(f"/subscriptions/{made['id']}").json

    assert seen["health"] == {
        "failing_since": None,
        "failures": 0,
        "suspended_since": None,
        "next_try_at": None,
        "waiting": 0,
    }


def test_a_scenario_that_is_off_shows_since_when_when_it_is_probed_and_what_waits(site):
    made = site.subscribe(platform="make")
    site.publish()
    site.send_all(status_code=410)
    site.publish()

    one = site.get(f"/subscriptions/{made['id']}").json
    [listed] = site.get("/subscriptions").json["data"]

    assert one["state"] == "suspended"
    assert one["health"]["suspended_since"] == "2026-03-01T12:00:00.000Z"
    assert one["health"]["next_try_at"] == "2026-03-01T13:00:00.000Z"
    assert one["health"]["waiting"] == 2
    assert listed == one


def test_a_failure_and_its_retry_are_shown_until_it_succeeds(site):
    made = site.subscribe()
    site.publish()

    site.send_all(status_code=500)
    failing = site.get(f"/subscriptions/{made['id']}").json["health"]
    site.context.clock.advance(timedelta(minutes=1))
    site.send_all()
    well = site.get(f"/subscriptions/{made['id']}").json["health"]

    assert (failing["failing_since"], failing["failures"]) == ("2026-03-01T12:00:00.000Z", 1)
    assert (failing["next_try_at"], failing["waiting"]) == (None, 1)
    assert (well["failing_since"], well["failures"], well["waiting"]) == (None, 0, 0)


def test_a_dry_run_says_what_would_match_and_why_not_the_others(site):
    site.publish()
    site.publish(type="appointment.destroy")

    answer = site.post(
        "/subscriptions/preview?language=fr",
        {"trigger": "changed_appointment", "filters": {"event": "destroy"}},
    ).json

    assert (answer["checked"], answer["matched"]) == (2, 1)
    assert answer["samples"][0]["event"] == "destroy"
    [miss] = answer["misses"]
    assert miss["reason"] == "filter_false"
    assert miss["text"].startswith("Le filtre demande")
    assert site.get("/subscriptions").json["data"] == []


def test_a_dry_run_checks_the_wish(site):
    answer = site.post("/subscriptions/preview", {"trigger": "nope", "target_url": "ftp://x"})

    assert set(codes_of(answer)) == {"trigger", "target_url"}


def test_a_zap_is_told_that_the_vendor_ended_it_but_not_that_it_did_itself(site):
    zapier = "https://hooks.zapier.com/hooks/standard/1/"
    ours, theirs = (site.subscribe(target_url=f"{zapier}{one}/")["id"] for one in (1, 2))

    site.call(
        "DELETE",
        f"/subscriptions/{ours}",
        key=site.publisher,
        headers={"Relais-Account": site.mine.reference},
    )
    site.call("DELETE", f"/subscriptions/{theirs}")

    told = [(one.method, one.target_url) for one in site.context.caller.requests]
    assert told == [("DELETE", f"{zapier}1/")]
