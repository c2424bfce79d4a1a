"""Samples: real events first, else the example, always as a delivery would be."""

import json

import pytest

from app.api.schemas.fields import QueryValues
from tests.api.site import codes_of

PATH = "/triggers/changed_appointment/samples"


def _samples(site, **query):
    answer = site.get(PATH, query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.headers["Relais-Samples"], answer.json


def test_without_events_the_example_stands_in(site):
    source, [sample] = _samples(site)

    assert source == "example"
    assert sample["trigger"] == "changed_appointment"
    assert sample["account"] == "salon-1"


def test_real_events_come_newest_first_and_are_bounded(site):
    ids = []
    for _ in range(5):
        ids.append(site.publish().json["id"])
        site.context.clock.advance()

    source, three = _samples(site)
    _, five = _samples(site, limit=100)

    assert source == "events"
    assert [one["id"] for one in three] == ids[:1:-1]
    assert [one["id"] for one in five] == ids[::-1]


def test_a_sample_is_the_very_payload_of_a_delivery(site):
    site.subscribe()
    site.publish()

    _, [sample] = _samples(site)

    delivery_id = site.get("/deliveries").json["data"][0]["id"]
    payload = site.get(f"/deliveries/{delivery_id}").json["payload"]
    assert payload == sample
    assert list(payload) == list(sample)


def test_events_of_others_and_silent_ones_are_not_shown(site):
    site.publish(account="salon-2")
    site.publish(origin="api")

    source, _ = _samples(site)

    assert source == "example"


@pytest.mark.parametrize(
    "query",
    [
        {"event": "destroy"},
        {"event": "destroy,restore"},
        {"event": ["destroy", "restore"]},
        {"filters": '{"event":"destroy"}'},
        {"filters": '{"field":"event","op":"eq","value":"destroy"}'},
        {"event": "destroy", "filters": '{"field":"price","op":"gt","value":1}'},
    ],
)
def test_filters_choose_among_real_events(site, query):
    site.publish()
    deleted = site.publish(type="appointment.destroy").json["id"]

    source, [sample] = _samples(site, **query)

    assert (source, sample["id"]) == ("events", deleted)


@pytest.mark.parametrize(
    ("query", "path", "value"),
    [
        ({"event": "destroy"}, "event", "destroy"),
        ({"role": "4"}, "role", 4),
        ({"status_code": "10,21"}, "status_code", 10),
        ({"filters": '{"role":[5],"event":["restore"]}'}, "role", 5),
    ],
)
def test_the_example_is_made_to_fit(site, query, path, value):
    source, [sample] = _samples(site, **query)

    assert (source, sample[path]) == ("example", value)


def test_shorthand_and_filter_must_both_hold(site):
    site.publish()
    both = {"event": "create", "filters": '{"field":"price","op":"gt","value":100}'}

    source, samples = _samples(site, **both)
    other_source, _ = _samples(site, event="destroy", filters='{"price":45.5}')

    assert (source, samples) == ("none", [])
    assert other_source == "example"


def test_samples_are_of_the_chosen_resources(site):
    site.publish()
    pool = site.publish(data={"id": 2, "schedule_id": 7}).json["id"]

    source, [sample] = _samples(site, resource_id="7")
    other_source, [example] = _samples(site, resource_id="99,100")

    assert (source, sample["id"]) == ("events", pool)
    assert (other_source, example["schedule_id"]) == ("example", 99)


def test_since_returns_real_events_after_it_only(site):
    site.publish()
    moment = site.context.clock.now()
    assert _samples(site, since=moment.isoformat()) == ("none", [])

    site.context.clock.advance()
    later = site.publish().json["id"]

    source, [sample] = _samples(site, since=moment.isoformat())
    assert (source, sample["id"]) == ("events", later)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"limit": "101"}, {"limit": "invalid"}),
        ({"since": "yesterday"}, {"since": "wrong_type"}),
        ({"since": "2026-03-01T12:00:00"}, {"since": "wrong_type"}),
        ({"since": "0001-01-01T00:00:00+14:00"}, {"since": "wrong_type"}),
        ({"filters": "{"}, {"filters": "invalid"}),
        ({"filters": "[]"}, {"filters": "invalid_filter"}),
        ({"filters": '{"nope":1}'}, {"filters.nope": "unknown_field"}),
        ({"event": "nope"}, {"event": "unknown_choice"}),
        ({"role": "x"}, {"role": "wrong_type"}),
    ],
)
def test_parameters_are_refused_under_their_own_names(site, query, codes):
    assert codes_of(site.get(PATH, query_string=query)) == codes


def test_a_trigger_without_the_field_has_no_such_shorthand(site):
    answer = site.get("/triggers/contact_subscribed/samples?role=3")

    assert codes_of(answer) == {"role": "unknown_field"}


def test_repeated_values_may_hold_commas():
    field = QueryValues()

    assert field.deserialize(["a,b"]) == ["a", "b"]
    assert field.deserialize(["a,b", "c"]) == ["a,b", "c"]
    assert field.deserialize([" a , ,b "]) == ["a", "b"]


def test_an_empty_filter_is_no_filter(site):
    for empty in ("", "{}", "null", " "):
        source, _ = _samples(site, filters=empty)

        assert source == "example"


def test_exact_numbers_are_compared(site):
    site.publish(data={"id": 1, "price": 45.5})
    query = json.dumps({"field": "price", "op": "eq", "value": 45.5}).replace("45.5", "45.50")

    source, _ = _samples(site, filters=query)

    assert source == "events"
