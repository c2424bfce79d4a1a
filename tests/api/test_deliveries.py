"""Deliveries: listed, read to the byte, sent again."""

import json
from datetime import timedelta

import pytest

from tests.api.site import TARGET, codes_of


def _delivery(site):
    [one] = site.get("/deliveries").json["data"]
    return one


def test_a_delivery_shows_exactly_what_was_sent_and_answered(site):
    site.subscribe()
    site.publish()
    site.send_all(body=b"caf\xe9 \x00")

    # Not with our own reader: what a target answers may hold what we refuse.
    story = json.loads(site.get(f"/deliveries/{_delivery(site)['id']}").data)

    assert (story["state"], story["outcome"], story["status_code"]) == (
        "succeeded",
        "succeeded",
        200,
    )
    assert story["event_type"] == "appointment.create"
    [attempt] = story["attempts"]
    sent, answered = attempt["request"], attempt["response"]
    assert (sent["method"], sent["url"]) == ("POST", TARGET)
    assert {"name": "webhook-id", "value": story["id"]} in sent["headers"]
    assert story["payload"]["id"] == story["event_id"]
    assert sent["body"].startswith('{"id":"evt_')
    assert answered["headers"] == [{"name": "Content-Type", "value": "text/plain"}]
    assert answered["body"] == "caf\ufffd \x00"
    assert (attempt["number"], attempt["duration_ms"]) == (1, 12)


def test_a_delivery_that_was_not_sent_yet_has_no_attempts(site):
    site.subscribe()
    site.publish()

    story = site.get(f"/deliveries/{_delivery(site)['id']}").json

    assert (story["state"], story["attempts"]) == ("pending", [])
    assert story["next_attempt_at"] == story["created_at"]


def test_a_settled_delivery_is_sent_again_under_its_own_id(site):
    site.subscribe()
    site.publish()
    site.send_all()
    before = _delivery(site)
    rings = site.context.doorbell.rings

    answer = site.post(f"/deliveries/{before['id']}/redeliver")

    assert answer.status_code == 202
    assert (answer.json["id"], answer.json["state"]) == (before["id"], "pending")
    assert answer.json["event_type"] == before["event_type"]
    assert site.context.doorbell.rings == rings + 1
    site.send_all()
    story = site.get(f"/deliveries/{before['id']}").json
    assert len(story["attempts"]) == 2
    assert len({one["request"]["body"] for one in story["attempts"]}) == 1


def test_what_is_still_on_its_way_is_not_sent_again(site):
    site.subscribe()
    site.publish()

    answer = site.post(f"/deliveries/{_delivery(site)['id']}/redeliver")

    assert answer.status_code == 409


def test_nothing_is_sent_again_to_a_subscription_that_has_ended(site):
    made = site.subscribe()
    site.publish()
    site.send_all()
    site.call("DELETE", f"/subscriptions/{made['id']}")

    assert site.post(f"/deliveries/{_delivery(site)['id']}/redeliver").status_code == 409


def test_deliveries_are_found_by_what_one_remembers(site):
    first = site.subscribe()
    site.publish()
    site.send_all()
    site.context.clock.advance(timedelta(days=1))
    site.call("DELETE", f"/subscriptions/{first['id']}")
    site.subscribe(trigger="new_appointment")
    site.publish()

    def triggers(**query):
        answer = site.get("/deliveries", query_string=query).json["data"]
        return [one["trigger"] for one in answer]

    assert triggers() == ["new_appointment", "changed_appointment"]
    assert triggers(state="succeeded") == ["changed_appointment"]
    assert triggers(trigger="new_appointment") == ["new_appointment"]
    assert triggers(subscription_id=first["id"]) == ["changed_appointment"]
    assert triggers(since="2026-03-02T00:00:00Z") == ["new_appointment"]
    assert triggers(until="2026-03-02T00:00:00Z") == ["changed_appointment"]
    assert triggers(until="2026-03-02T00:00:00Z", state="pending") == []


@pytest.mark.parametrize("query", ["state=sent", "since=monday", "until=2026-03-01"])
def test_a_search_that_makes_no_sense_is_refused(site, query):
    assert set(codes_of(site.get(f"/deliveries?{query}"))) == {query.partition("=")[0]}
