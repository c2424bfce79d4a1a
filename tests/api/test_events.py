"""Publishing: acceptance, idempotency, batches, diversion, silence; and explanations."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.services.context import PayloadChecks
from app.storage import Vault, open_store
from tests.api.site import APPOINTMENT, ROOT, Site, codes_of, problem_of
from tests.contexts import VAULT_KEY, a_context, some_rules


def test_a_published_event_becomes_deliveries(site):
    subscription = site.subscribe()
    site.subscribe(trigger="new_appointment")
    site.subscribe(trigger="new_user")

    answer = site.publish()

    assert answer.status_code == 202
    assert answer.json == {
        "id": answer.json["id"],
        "deliveries": 2,
        "diverted": False,
        "disposition": "open",
        "warnings": [],
    }
    assert "Idempotent-Replay" not in answer.headers
    deliveries = site.get("/deliveries").json["data"]
    assert {one["trigger"] for one in deliveries} == {"changed_appointment", "new_appointment"}
    assert {one["event_id"] for one in deliveries} == {answer.json["id"]}
    assert {one["state"] for one in deliveries} == {"pending"}
    assert site.context.doorbell.rings == 1
    mine = site.get(f"/deliveries?subscription_id={subscription['id']}").json["data"]
    assert len(mine) == 1


def test_an_event_can_be_read_as_it_was_published(site):
    event_id = site.publish(
        occurred_at="2026-02-28T10:00:00+01:00",
        actor={"role": 4, "id": "u1", "name": "Ann"},
        transaction="t1",
    ).json["id"]

    event = site.get(f"/events/{event_id}").json

    assert event["data"] == APPOINTMENT
    assert event["occurred_at"] == "2026-02-28T09:00:00.000Z"
    assert event["received_at"] == "2026-03-01T12:00:00.000Z"
    assert event["actor"] == {"role": 4, "id": "u1", "name": "Ann"}
    assert (event["record_id"], event["transaction"]) == ("12345", "t1")
    assert event["account_id"] == site.mine.id


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"account": "nobody"}, {"account": "unknown_account"}),
        ({"account": ""}, {"account": "invalid"}),
        ({"type": 5}, {"type": "wrong_type"}),
        ({"data": {"price": "a lot"}}, {"data.price": "wrong_type"}),
        ({"occurred_at": "2026-02-28T10:00:00"}, {"occurred_at": "wrong_type"}),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, {"occurred_at": "wrong_type"}),
        ({"actor": {"role": 99}}, {"actor.role": "unknown_choice"}),
        ({"actor": {"role": "3"}}, {"actor.role": "wrong_type"}),
        ({"actor": {"admin": True}}, {"actor.admin": "unknown_field"}),
        ({"actor": []}, {"actor": "wrong_type"}),
        ({"notify": "yes"}, {"notify": "wrong_type"}),
        ({"notify": 1}, {"notify": "wrong_type"}),
        ({"transaction": "t" * 201}, {"transaction": "invalid"}),
    ],
)
def test_an_event_that_is_wrong_is_refused_by_field(site, changes, codes):
    answer = site.publish(**changes)

    assert answer.status_code == 422
    assert codes_of(answer) == codes
    assert site.get("/events").json["data"] == []


def test_the_account_may_be_named_by_id(site):
    assert site.publish(account=site.mine.id).status_code == 202


def test_the_same_key_and_event_get_the_first_answer_again(site):
    site.subscribe()
    first = site.publish(idempotency_key="k1")
    site.context.clock.advance(timedelta(hours=1))

    again = site.publish(idempotency_key="k1")

    assert (again.status_code, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(site.get("/events").json["data"]) == 1
    assert len(site.get("/deliveries").json["data"]) == 1


def test_the_same_key_with_another_event_is_a_conflict(site):  # B14
    site.publish(idempotency_key="k1")

    answer = site.publish(idempotency_key="k1", data={"id": 2})

    assert answer.status_code == 409
    assert problem_of(answer)["code"] == "idempotency_conflict"
    assert codes_of(answer) == {"idempotency_key": "idempotency_conflict"}


def test_many_at_once_with_one_key_are_accepted_once(tmp_path):  # B13
    vault = Vault([("k1", VAULT_KEY)])
    store = open_store(f"sqlite:///{tmp_path / 'relais.db'}", vault=vault, migrate=True)
    site = Site(a_context(store=store))

    def publish(_number):
        client = site.app.test_client()
        return client.post(
            f"{ROOT}/events",
            json=site.an_event(idempotency_key="k1"),
            headers={"Authorization": f"Bearer {site.publisher}"},
        )

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(publish, range(40)))

    events = site.get("/events").json["data"]
    site.close()
    assert {one.status_code for one in answers} == {202}
    assert {one.json["id"] for one in answers} == {events[0]["id"]}
    assert len(events) == 1
    assert sum("Idempotent-Replay" not in one.headers for one in answers) == 1


def test_keys_are_each_accounts_own(site):
    first = site.publish(idempotency_key="k1").json["id"]

    second = site.publish(idempotency_key="k1", account="salon-2")

    assert second.status_code == 202
    assert second.json["id"] != first


def test_a_batch_is_accepted_together(site):
    site.subscribe()
    events = [site.an_event(), site.an_event(account="salon-2"), site.an_event(type="user.new")]

    answer = site.post("/events/batch", {"events": events}, key=site.publisher)

    assert answer.status_code == 202
    assert [one["deliveries"] for one in answer.json["results"]] == [1, 0, 0]
    assert len({one["id"] for one in answer.json["results"]}) == 3


def test_one_wrong_event_refuses_the_batch_and_every_wrong_one_is_named(site):
    events = [
        site.an_event(),
        site.an_event(data={"price": "a lot"}),
        site.an_event(type="no.such"),
    ]

    answer = site.post("/events/batch", {"events": events}, key=site.publisher)

    assert answer.status_code == 422
    assert codes_of(answer) == {
        "events.1.data.price": "wrong_type",
        "events.2.type": "unknown_type",
    }
    assert site.get("/events").json["data"] == []


def test_what_a_schema_refuses_is_named_by_place_too(site):
    events = [site.an_event(), site.an_event(surprise=1)]

    answer = site.post("/events/batch", {"events": events}, key=site.publisher)

    assert codes_of(answer) == {"events.1.surprise": "unknown_field"}


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_a_size(site, count):
    events = [site.an_event()] * count

    answer = site.post("/events/batch", {"events": events}, key=site.publisher)

    assert codes_of(answer) == {"events": "invalid"}


def test_a_batch_can_be_repeated_with_its_keys(site):
    batch = {"events": [site.an_event(idempotency_key=key) for key in ("k1", "k2")]}
    first = site.post("/events/batch", batch, key=site.publisher)

    again = site.post("/events/batch", batch, key=site.publisher)
    partly = {"events": [*batch["events"], site.an_event(idempotency_key="k3")]}
    more = site.post("/events/batch", partly, key=site.publisher)

    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    assert more.json["results"][:2] == first.json["results"]
    assert "Idempotent-Replay" not in more.headers


def test_several_updates_in_one_transaction_collapse_to_the_last(site):
    site.put_resources("document_type", "Sales Invoice")
    example = site.get("/triggers/on_update/example").json
    resource = example["data"]["doctype"]
    site.put_resources("document_type", resource)
    site.subscribe(trigger="on_update", resource_ids=[resource])
    events = [example | {"transaction": "t1"} for _ in range(3)]

    answer = site.post("/events/batch", {"events": events}, key=site.publisher).json["results"]

    assert [one["disposition"] for one in answer] == ["collapsed", "collapsed", "open"]
    assert [one["deliveries"] for one in answer] == [0, 0, 1]


def test_while_somebody_subscribes_the_vendor_does_not_act_itself(site):
    example = site.get("/triggers/reminder/example").json
    before = site.post("/events/check", example, key=site.publisher).json
    site.subscribe(trigger="reminder")

    check = site.post("/events/check", example, key=site.publisher).json
    published = site.post("/events", example, key=site.publisher).json

    assert (before["diverted"], before["deliveries"]) == (False, 0)
    assert check == {"diverted": True, "deliveries": 1, "disposition": "open"}
    assert published["diverted"] is True


def test_a_check_stores_nothing(site):
    site.subscribe()

    site.post("/events/check", site.an_event(), key=site.publisher)

    assert site.get("/events").json["data"] == []
    assert site.get("/deliveries").json["data"] == []


def test_silent_origins_fire_nothing_unless_told_to(site):
    site.subscribe()

    silent = site.publish(origin="api").json
    told = site.publish(origin="api", notify=True).json

    assert (silent["disposition"], silent["deliveries"]) == ("silent", 0)
    assert (told["disposition"], told["deliveries"]) == ("open", 1)


def test_an_account_that_is_off_fires_nothing(site):
    site.subscribe()
    site.call("PATCH", "/accounts/salon-1", {"enabled": False}, key=site.publisher)

    answer = site.publish().json

    assert (answer["disposition"], answer["deliveries"]) == ("account_off", 0)


@pytest.mark.parametrize(
    ("checks", "status", "warned"),
    [(PayloadChecks.OFF, 202, 0), (PayloadChecks.WARN, 202, 1), (PayloadChecks.REJECT, 422, 0)],
)
def test_data_that_does_not_fit_is_treated_as_the_deployment_says(checks, status, warned):
    site = Site(a_context(rules=some_rules(payload_checks=checks)))

    answer = site.publish(data={"id": 1, "price": "a lot"})

    site.close()
    assert answer.status_code == status
    assert len(answer.json.get("warnings", [])) == warned


def test_events_are_listed_by_type_newest_first(site):
    first = site.publish().json["id"]
    site.context.clock.advance()
    second = site.publish(type="user.new").json["id"]

    def ids(query=""):
        return [one["id"] for one in site.get(f"/events{query}").json["data"]]

    assert ids() == [second, first]
    assert ids("?type=user.new") == [second]
    assert ids("?type=no.such") == []


def test_what_happened_to_one_record_is_listed(site):
    site.publish(type="appointment.create", data={"id": 7})
    site.publish(type="appointment.create", data={"id": 8})
    site.publish(type="appointment.destroy", data={"id": 7})

    found = site.get("/events?record_id=7").json["data"]

    assert [one["type"] for one in found] == ["appointment.destroy", "appointment.create"]


def test_an_explanation_says_for_each_subscription_why(site):
    fired = site.subscribe(name="All")
    missed = site.subscribe(name="Deleted only", filters={"event": "destroy"})
    paused = site.subscribe(name="Off", target_url="https://hooks.example.com/3")
    site.post(f"/subscriptions/{paused['id']}/pause")
    event_id = site.publish().json["id"]

    answer = site.get(f"/events/{event_id}/explanations").json
    french = site.get(f"/events/{event_id}/explanations?language=fr").json

    assert answer["event"]["id"] == event_id
    by_id = {one["subscription"]["id"]: one for one in answer["data"]}
    assert {key: one["reason"] for key, one in by_id.items()} == {
        fired["id"]: "fired",
        missed["id"]: "filter_false",
        paused["id"]: "paused",
    }
    assert by_id[fired["id"]]["fired"] is True
    assert by_id[fired["id"]]["delivery_id"].startswith("dlv_")
    assert by_id[missed["id"]]["delivery_id"] is None
    assert by_id[missed["id"]]["subscription"]["name"] == "Deleted only"
    assert "Deleted" in by_id[missed["id"]]["text"]
    assert {one["text"] for one in french["data"]}.isdisjoint(one["text"] for one in answer["data"])


def test_the_publishable_example_fires_its_trigger(site):
    site.subscribe()
    example = site.get("/triggers/changed_appointment/example").json

    answer = site.post("/events", example, key=site.publisher)

    assert example["account"] == "salon-1"
    assert answer.json["deliveries"] == 1
