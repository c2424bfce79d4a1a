"""Keys: which ones open what, and how a refusal looks."""

from datetime import timedelta

import pytest

from tests.api.operations import OPERATIONS
from tests.api.site import problem_of
from tests.api.test_operations import DESCRIBED, DOCUMENT

GUARDED = sorted(
    (method.upper(), path.removeprefix("/api/v1"), operation["operationId"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if operation["security"]
)
PUBLISHERS = ("/accounts", "/keys", "/catalogs", "/events/batch", "/events/check")


def _is_publishers(method, path):
    return path.startswith(PUBLISHERS) or (method, path) == ("POST", "/events")


@pytest.mark.parametrize(("method", "path", "name"), GUARDED)
def test_nothing_opens_without_a_key(site, method, path, name):
    answer = site.client.open(f"/api/v1{path}", method=method)

    assert answer.status_code == 401, name
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert problem_of(answer)["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method, path, _ in GUARDED if _is_publishers(method, path)],
)
def test_an_account_key_is_refused_what_is_the_publishers(site, method, path):
    answer = site.call(method, path, key=site.mine.key)

    assert answer.status_code == 403
    assert problem_of(answer)["code"] == "forbidden"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (method, path)
        for method, path, name in GUARDED
        if not _is_publishers(method, path) and name != "getEvent"  # either key opens that
    ],
)
def test_a_publisher_key_that_names_no_account_reaches_no_customers_things(site, method, path):
    subscription = site.subscribe()["id"]
    site.publish()
    [delivery] = site.get("/deliveries").json["data"]
    ids = {
        "subscription_id": subscription,
        "delivery_id": delivery["id"],
        "event_id": delivery["event_id"],
        "trigger": "changed_appointment",
        "kind": "schedule",
        "replay_id": "rpl_1",
    }

    body = {"name": "Theirs"} if method == "PATCH" else None
    if path.endswith("/confirmation"):
        body = {"secret": "x" * 32}
    if path.endswith("/replays"):
        body = {"since": "2020-01-01T00:00:00Z"}
    answer = site.call(method, path.format(**ids), body, key=site.publisher)

    if method == "DELETE":  # it would succeed without doing anything
        assert answer.status_code == 403
        assert problem_of(answer)["code"] == "forbidden"
    elif "_id}" in path or "{trigger}" in path:
        assert answer.status_code in (404, 422)
    assert subscription not in answer.text
    assert site.get(f"/subscriptions/{subscription}").json["state"] == "active"


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in GUARDED if method == "GET"]
)
def test_a_publisher_acts_for_an_account_by_reference_or_id(site, method, path):
    if _is_publishers(method, path) or "_id}" in path:
        return
    path = path.format(trigger="changed_appointment", kind="schedule")
    as_account = site.call(method, path).json

    for name in (site.mine.reference, site.mine.id):
        answer = site.call(method, path, key=site.publisher, headers={"Relais-Account": name})

        assert answer.status_code == 200
        if path != "/me":
            assert answer.json == as_account


def test_acting_for_an_account_that_does_not_exist_is_not_found(site):
    answer = site.get("/triggers", key=site.publisher, headers={"Relais-Account": "nobody"})

    assert answer.status_code == 404


def test_an_account_key_acts_for_its_own_account_only(site):
    own = site.get("/triggers", headers={"Relais-Account": "salon-1"})
    other = site.get("/triggers", headers={"Relais-Account": "salon-2"})
    nobody = site.get("/triggers", headers={"Relais-Account": "nobody"})

    assert own.status_code == 200
    assert other.status_code == nobody.status_code == 403
    assert problem_of(other) == problem_of(nobody)


def test_both_headers_carry_a_key(site):
    in_header = site.client.get("/api/v1/me", headers={"X-API-Key": site.mine.key})
    lower = site.client.get("/api/v1/me", headers={"Authorization": f"bearer {site.mine.key}"})

    assert in_header.json["account"]["reference"] == "salon-1"
    assert lower.status_code == 200


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic abc", "Bearer clé", "Bearer rk_acc_x"]
)
def test_what_is_no_key_is_refused(site, authorization):
    answer = site.client.get(
        "/api/v1/me", headers={"Authorization": authorization.encode("latin-1").decode("latin-1")}
    )

    assert answer.status_code == 401


def test_a_mistyped_key_is_refused_without_a_look_up(site):
    wrong = site.mine.key[:-1] + ("a" if site.mine.key[-1] != "a" else "b")
    site.context.store.close()  # whoever asks the store now gets an error

    assert site.get("/me", key=wrong).status_code == 401


def test_revoked_and_expired_keys_are_refused_alike(site):
    expires = site.context.clock.now() + timedelta(hours=1)
    body = {"name": "Short", "expires_at": expires.isoformat()}
    path = "/accounts/salon-1/keys"
    short = site.post(path, body, key=site.publisher).json
    revoked = site.post(path, {"name": "Gone"}, key=site.publisher).json
    site.call("DELETE", f"{path}/{revoked['id']}", key=site.publisher)
    assert site.get("/me", key=short["key"]).status_code == 200

    site.context.clock.advance(timedelta(hours=2))
    answers = [site.get("/me", key=one["key"]) for one in (short, revoked)]

    assert [one.status_code for one in answers] == [401, 401]
    assert problem_of(answers[0]) == problem_of(answers[1])


def test_me_says_whom_a_key_speaks_for(site):
    mine = site.get("/me").json
    publisher = site.get("/me", key=site.publisher).json
    acting = site.get("/me", key=site.publisher, headers={"Relais-Account": "salon-1"}).json

    assert (mine["scope"], mine["label"], mine["key"]["name"]) == ("account", "Salon-1", "Zapier")
    assert (publisher["scope"], publisher["account"]) == ("publisher", None)
    assert publisher["label"] == "Backend"
    assert (acting["scope"], acting["account"]["id"]) == ("publisher", site.mine.id)


def test_no_answer_sets_a_cookie_and_all_are_kept_out_of_caches(site):
    for name in ("getMe", "createSubscription", "createAccountKey", "getHealth"):
        answer = OPERATIONS[name](site)

        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if DESCRIBED[name]["security"]:
            assert answer.headers["Cache-Control"] == "no-store"


def test_other_origins_get_no_permission(site):
    answer = site.client.options("/api/v1/me", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 405
    assert "Access-Control-Allow-Origin" not in answer.headers
