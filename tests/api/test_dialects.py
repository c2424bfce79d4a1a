"""The spellings of other hook APIs."""

import pytest

from app.api.dialects import in_our_words
from app.core.errors import InvalidRequestError
from tests.api.site import TARGET, codes_of

TRIGGER = "changed_appointment"


@pytest.mark.parametrize("url", ["target_url", "targetUrl", "hookUrl", "hook_url", "url"])
@pytest.mark.parametrize("trigger", ["trigger", "event", "topic"])
def test_every_spelling_subscribes(site, url, trigger):
    answer = site.post("/subscriptions", {trigger: TRIGGER, url: TARGET})

    assert answer.status_code == 201
    assert (answer.json["trigger"], answer.json["target_url"]) == (TRIGGER, TARGET)


@pytest.mark.parametrize("name", ["resource_id", "parent_id", "resource_ids"])
@pytest.mark.parametrize("value", ["51423", 51423, ["51423"], [51423]])
def test_a_resource_is_named_in_any_spelling(site, name, value):
    site.put_resources("schedule", "51423")

    made = site.subscribe(**{name: value})

    assert made["resource_ids"] == ["51423"]


def test_all_spellings_make_the_identical_subscription(site):
    site.subscribe()

    again = site.post("/subscriptions", {"event": TRIGGER, "hookUrl": TARGET, "platform": "n8n"})

    assert again.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target_url": TARGET, "targetUrl": f"{TARGET}/2"}, "target_url"),
        ({"url": TARGET, "hookUrl": f"{TARGET}/2"}, "target_url"),
        ({"trigger": TRIGGER, "event": "new_user"}, "trigger"),
        ({"trigger": TRIGGER, "triggers": ["new_user"]}, "trigger"),
        ({"resource_id": "1", "resource_ids": ["2"]}, "resource_ids"),
    ],
)
def test_two_spellings_that_differ_are_a_conflict_on_that_field(site, body, field):
    answer = site.post("/subscriptions", {"target_url": TARGET, "trigger": TRIGGER} | body)

    assert answer.status_code == 422
    assert codes_of(answer)[field] == "conflict"


def test_two_spellings_that_agree_are_fine():
    body = {"targetUrl": TARGET, "url": TARGET, "event": TRIGGER, "triggers": [TRIGGER]}

    assert in_our_words(body) == {"target_url": TARGET, "triggers": [TRIGGER]}


def test_an_alias_that_was_left_empty_says_nothing():
    body = {"target_url": TARGET, "trigger": TRIGGER, "resource_id": None}

    assert in_our_words(body) == {"target_url": TARGET, "triggers": [TRIGGER]}


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_what_is_no_object_is_left_to_the_schema(body):
    assert in_our_words(body) == body


def test_conflicts_are_all_named():
    body = {"url": "a", "hookUrl": "b", "event": "c", "trigger": "d"}

    with pytest.raises(InvalidRequestError) as raised:
        in_our_words(body)

    assert {one.field for one in raised.value.problems} == {"target_url", "trigger"}


def test_a_change_understands_them_too(site):
    made = site.subscribe()

    changed = site.call("PATCH", f"/subscriptions/{made['id']}", {"targetUrl": f"{TARGET}/2"})

    assert changed.json["target_url"] == f"{TARGET}/2"
