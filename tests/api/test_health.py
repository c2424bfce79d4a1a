"""Health, readiness and metrics over HTTP; and what a publisher key alone can do."""

from datetime import timedelta

import pytest

from app.core.errors import UnavailableError
from app.core.weighing import NoticeKind
from app.services import notices
from app.services.presence import Pulse
from app.system.tally import Tally
from tests.api.site import TARGET, Site, problem_of
from tests.contexts import a_context

VENDOR = {"trigger": "relais_subscription_suspended", "target_url": "https://vendor.example.com/"}


@pytest.fixture
def counting():
    made = Site(a_context(meter=Tally()))
    yield made
    made.close()


def samples_of(text):
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


def test_with_a_worker_it_is_ready(site):
    Pulse(site.context, "w1").beat(0)

    answer = site.client.get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok", "warnings": []})


def test_without_a_worker_it_is_alive_but_not_ready_and_says_why(site):
    assert site.client.get("/healthz").status_code == 200

    answer = site.client.get("/readyz")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    problem = problem_of(answer)
    assert problem["code"] == "unavailable"
    assert [(one["field"], one["code"]) for one in problem["errors"]] == [("workers", "none_alive")]


def test_metrics_show_what_was_counted_and_what_waits(counting):
    counting.subscribe()
    counting.subscribe(target_url=f"{TARGET}2")
    counting.publish()
    Pulse(counting.context, "w1").beat(0)
    counting.context.clock.advance(timedelta(seconds=5))

    answer = counting.client.get("/metrics")

    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    read = samples_of(answer.text)
    assert read["relais_ingest_events_total"] == 1
    assert read['relais_ingest_seconds_count{how="single"}'] == 1
    assert read['relais_queue_deliveries{state="due"}'] == 2
    assert read["relais_queue_oldest_due_age_seconds"] == 5
    assert (read["relais_store_up"], read["relais_workers_alive"]) == (1, 1)


def test_metrics_of_a_store_that_is_down_say_so(counting, monkeypatch):
    def down():
        raise UnavailableError("The database does not answer.")

    monkeypatch.setattr(counting.context.store, "read", down)

    read = samples_of(counting.client.get("/metrics").text)

    assert read["relais_store_up"] == 0
    assert 'relais_queue_deliveries{state="due"}' not in read
    assert read["relais_ingest_events_total"] == 0


def test_refused_publishes_are_counted_by_their_code(counting):
    counting.publish(type="no.such")
    counting.post("/events", {}, key="rk_pub_nonsense")
    counting.post("/events/batch", {"events": 1}, key=counting.publisher)
    counting.post("/subscriptions", {})  # not a publish

    read = samples_of(counting.client.get("/metrics").text)

    assert read['relais_ingest_refusals_total{code="invalid_request"}'] == 2
    assert read['relais_ingest_refusals_total{code="unauthenticated"}'] == 1


def test_metrics_name_nobody(counting):
    subscription = counting.subscribe()
    counting.publish()

    text = counting.client.get("/metrics").text

    for secret in (subscription["id"], subscription["secret"], "hooks.example.com", "salon-1"):
        assert secret not in text


def test_a_publisher_key_subscribes_to_operational_events(site):
    mine = site.subscribe()
    heard = site.post("/subscriptions", VENDOR, key=site.publisher)
    assert heard.status_code == 201

    with site.context.store.write() as tx:
        suspended = tx.subscription(mine["id"])
        kind = NoticeKind.SUBSCRIPTION_SUSPENDED
        notices.tell_of_subscription(site.context, tx, kind, suspended)

    assert site.send_all() == 1
    [delivery] = site.get("/deliveries", key=site.publisher).json["data"]
    assert delivery["state"] == "succeeded"
    assert site.get("/deliveries").json["data"] == []
    [listed] = site.get("/subscriptions", key=site.publisher).json["data"]
    assert listed["id"] == heard.json["id"]


def test_a_publisher_key_ends_its_subscription_by_naming_the_account(site):
    path = f"/subscriptions/{site.post('/subscriptions', VENDOR, key=site.publisher).json['id']}"

    forgot = site.call("DELETE", path, key=site.publisher)
    named = site.call(
        "DELETE", path, key=site.publisher, headers={"Relais-Account": "relais-operations"}
    )

    assert (forgot.status_code, named.status_code) == (403, 204)
    assert site.get(path, key=site.publisher).status_code == 404


def test_no_customer_sees_operational_triggers_and_no_catalog_list_names_them(site):
    site.post("/subscriptions", VENDOR, key=site.publisher)

    keys = [one["key"] for one in site.get("/triggers").json["data"]]
    catalogs = [one["key"] for one in site.get("/catalogs", key=site.publisher).json["data"]]

    assert [key for key in keys if key.startswith("relais_")] == []
    assert "operations" not in catalogs
    assert site.post("/subscriptions", VENDOR).status_code == 422
