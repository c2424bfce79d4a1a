"""Accounts, overlays, resources and keys, as the vendor's backend keeps them."""

import pytest

from tests.api.site import codes_of

NEW = {"reference": "salon-3", "name": "Three"}
FIELD = {"subject": "user", "key": "card", "type": "string", "label": "Card"}
FORM = {
    "id": "714",
    "name": "Health",
    "subject": "form",
    "fields": [{"key": "allergies", "type": "text", "label": "Allergies"}],
}


def test_an_account_is_made_with_defaults(site):
    answer = site.post("/accounts", NEW, key=site.publisher)

    made = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://localhost/api/v1/accounts/{made['id']}"
    assert made["id"].startswith("acc_")
    assert (made["language"], made["enabled"]) == ("en", True)
    assert (made["catalogs"], made["features"]) == ([], {})
    assert made["created_at"] == "2026-03-01T12:00:00.000Z"


def test_a_reference_is_unique(site):
    answer = site.post("/accounts", {"reference": "salon-1", "name": "x"}, key=site.publisher)

    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"reference": "a/b"}, {"reference": "invalid"}),
        ({"reference": "acc_1"}, {"reference": "invalid"}),
        ({"reference": ".."}, {"reference": "invalid"}),
        ({"reference": "a\nb"}, {"reference": "invalid"}),
        ({"reference": ""}, {"reference": "invalid"}),
        ({"name": ""}, {"name": "invalid"}),
        ({"language": "de"}, {"language": "unknown_choice"}),
        ({"enabled": "yes"}, {"enabled": "wrong_type"}),
        ({"catalogs": ["nope"]}, {"catalogs.0": "unknown_choice"}),
        ({"features": {"nope": True}}, {"features": "unknown_choice"}),
        ({"features": {"shop": 1}}, {"features.shop": "wrong_type"}),
    ],
)
def test_an_account_that_is_wrong_is_refused_by_field(site, change, codes):
    assert codes_of(site.post("/accounts", NEW | change, key=site.publisher)) == codes


def test_accounts_are_listed_by_page_or_found_by_reference(site):
    def references(query):
        answer = site.get(f"/accounts{query}", key=site.publisher).json
        return [one["reference"] for one in answer["data"]], answer["next_cursor"]

    first, cursor = references("?limit=1")
    assert first + references(f"?cursor={cursor}")[0] == ["salon-1", "salon-2"]
    assert references("?reference=salon-2") == (["salon-2"], None)
    assert references("?reference=nobody") == ([], None)
    assert references(f"?reference={site.mine.id}") == ([], None)


def test_an_account_is_read_and_changed_by_id_or_reference(site):
    site.context.clock.advance()
    change = {"language": "fr", "features": {"shop": False}}

    changed = site.call("PATCH", f"/accounts/{site.mine.id}", change, key=site.publisher).json

    assert changed["language"] == "fr"
    assert changed["features"]["shop"] is False
    assert changed["features"]["call_webhooks"] is True
    assert changed["updated_at"] > changed["created_at"]
    assert site.get("/accounts/salon-1", key=site.publisher).json == changed


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {}),
        ("GET", "/overlay", None),
        ("PUT", "/overlay", {}),
        ("GET", "/resources/schedule", None),
        ("PUT", "/resources/schedule", {"resources": []}),
        ("PUT", "/resources/schedule/1", {"label": "x"}),
        ("DELETE", "/resources/schedule/1", None),
        ("POST", "/keys", {"name": "x"}),
        ("GET", "/keys", None),
        ("DELETE", "/keys/key_1", None),
    ],
)
def test_an_account_that_does_not_exist_is_not_found(site, method, path, body):
    answer = site.call(method, f"/accounts/nobody{path}", body, key=site.publisher)

    assert answer.status_code == 404


def test_an_overlay_is_read_as_it_was_written(site):
    overlay = {
        "optional_fields": {"appointment": ["mobile"], "user": ["address", "mobile"]},
        "custom_fields": [
            {**FIELD, "sample": "C-1", "choices": [], "personal": True, "resource_id": None}
        ],
        "forms": [
            {
                **FORM,
                "resource_id": "714",
                "fields": [{**FORM["fields"][0], "sample": None, "choices": [], "personal": False}],
            }
        ],
    }

    written = site.overlay(**overlay)

    assert written.status_code == 200
    assert written.json == overlay
    assert site.get("/accounts/salon-1/overlay", key=site.publisher).json == overlay


@pytest.mark.parametrize(
    ("overlay", "codes"),
    [
        ({"optional_fields": {"user": ["nope"]}}, {"optional_fields": "unknown_choice"}),
        ({"optional_fields": []}, {"optional_fields": "wrong_type"}),
        ({"custom_fields": [{**FIELD, "subject": "nope"}]}, {"custom_fields": "unknown_choice"}),
        ({"custom_fields": [{**FIELD, "key": "a.b"}]}, {"custom_fields.0.key": "invalid"}),
        ({"custom_fields": [{**FIELD, "type": "x"}]}, {"custom_fields.0.type": "unknown_choice"}),
        ({"custom_fields": [{**FIELD, "odd": 1}]}, {"custom_fields.0.odd": "unknown_field"}),
        ({"custom_fields": [{**FIELD, "sample": 5}]}, {"custom_fields": "wrong_type"}),
        (
            {"custom_fields": [{**FIELD, "sample": "c", "choices": ["a"]}]},
            {"custom_fields": "unknown_choice"},
        ),
        (
            {"custom_fields": [{**FIELD, "type": "integer", "choices": ["1"]}]},
            {"custom_fields": "choices_not_for_type"},
        ),
        ({"forms": [{**FORM, "subject": "purchase"}]}, {"forms": "unknown_choice"}),
        ({"forms": [{**FORM, "fields": None}]}, {"forms.0.fields": "wrong_type"}),
    ],
)
def test_an_overlay_that_does_not_fit_is_refused_by_field(site, overlay, codes):
    assert codes_of(site.overlay(**overlay)) == codes


def test_resources_are_replaced_added_and_deleted(site):
    path = "/accounts/salon-1/resources/schedule"

    def ids():
        return [one["id"] for one in site.get(path, key=site.publisher).json["data"]]

    site.put_resources("schedule", "1", "2")
    assert ids() == ["1", "2"]
    site.put_resources("schedule", "3")
    assert ids() == ["3"]
    one = site.call("PUT", f"{path}/4", {"label": "Pool"}, key=site.publisher).json
    assert one == {"id": "4", "label": "Pool", "kind": "schedule", "attributes": {}}
    assert site.call("DELETE", f"{path}/3", key=site.publisher).status_code == 204
    assert site.call("DELETE", f"{path}/3", key=site.publisher).status_code == 404
    assert ids() == ["4"]


def test_a_resource_id_may_be_a_number_or_hold_a_slash(site):
    path = "/accounts/salon-1/resources/schedule"
    numbered = {"resources": [{"id": 7, "label": "Seven"}]}

    answer = site.call("PUT", path, numbered, key=site.publisher)
    slashed = site.call("PUT", f"{path}/a%2Fb", {"label": "Slash"}, key=site.publisher)

    assert answer.json["data"][0]["id"] == "7"
    assert slashed.json["id"] == "a/b"
    assert site.call("DELETE", f"{path}/a%2Fb", key=site.publisher).status_code == 204


def test_resources_with_one_id_are_refused(site):
    body = {"resources": [{"id": "1", "label": "A"}, {"id": "1", "label": "B"}]}

    answer = site.call("PUT", "/accounts/salon-1/resources/schedule", body, key=site.publisher)

    assert set(codes_of(answer).values()) == {"repeated"}


def test_an_unknown_kind_of_resource_names_those_that_exist(site):
    answer = site.get("/resources/nope")

    assert answer.status_code == 404
    assert "schedule" in answer.json["detail"]


def test_drop_downs_page_by_cursor_or_by_number_and_search(site):
    site.put_resources("schedule", *(f"{number:02}" for number in range(5)))

    def ids(**query):
        answer = site.get("/resources/schedule", query_string=query).json
        return [one["id"] for one in answer["data"]], answer["next_cursor"]

    first, cursor = ids(limit=2)
    second, cursor = ids(limit=2, cursor=cursor)
    third, end = ids(limit=2, cursor=cursor)
    assert (first, second, third, end) == (["00", "01"], ["02", "03"], ["04"], None)
    assert ids(limit=2, page=1)[0] == ["02", "03"]
    assert ids(limit=2, page=9) == ([], None)
    assert ids(q="no 03")[0] == ["03"]
    both = site.get("/resources/schedule?page=1&cursor=x")
    assert codes_of(both) == {"page": "conflict"}


def test_a_key_is_shown_once_and_opens_its_account(site):
    answer = site.post("/accounts/salon-2/keys", {"name": "n8n"}, key=site.publisher)

    made = answer.json
    assert answer.status_code == 201
    assert made["key"].startswith(made["prefix"])
    assert "digest" not in made
    assert site.get("/me", key=made["key"]).json["account"]["reference"] == "salon-2"
    listed = site.get("/accounts/salon-2/keys", key=site.publisher).json["data"]
    assert [one["name"] for one in listed] == ["Zapier", "n8n"]
    assert all("key" not in one and "digest" not in one for one in listed)


def test_a_key_is_revoked_only_where_it_belongs(site):
    made = site.post("/accounts/salon-2/keys", {"name": "n8n"}, key=site.publisher).json

    def revoke(path):
        return site.call("DELETE", f"{path}/{made['id']}", key=site.publisher).status_code

    assert revoke("/accounts/salon-1/keys") == 404
    assert revoke("/keys") == 404
    assert site.get("/me", key=made["key"]).status_code == 200
    assert revoke("/accounts/salon-2/keys") == 204
    assert site.get("/me", key=made["key"]).status_code == 401


def test_publisher_keys_are_made_listed_and_revoked(site):
    made = site.post("/keys", {"name": "Second"}, key=site.publisher).json

    names = [one["name"] for one in site.get("/keys", key=made["key"]).json["data"]]
    revoked = site.call("DELETE", f"/keys/{made['id']}", key=site.publisher)

    assert names == ["Backend", "Second"]
    assert revoked.status_code == 204
    assert site.get("/keys", key=made["key"]).status_code == 401


def test_catalogs_are_named_with_their_triggers(site):
    english = site.get("/catalogs", key=site.publisher).json["data"]
    french = site.get("/catalogs?language=fr", key=site.publisher).json["data"]

    assert [one["key"] for one in english] == ["bookings", "mailing", "calls", "documents"]
    assert "changed_appointment" in [one["key"] for one in english[0]["triggers"]]
    assert english[0]["triggers"] != french[0]["triggers"]
