"""Real processes: what an operator starts, stops and kills, and what survives it."""

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from app.cli.remote import SubscriberCalls
from app.core.deliveries import DeliveryState
from relais_client import NewEvent, Relais
from tests.e2e.processes import (
    READY,
    RelaisProcess,
    make_first_keys,
    serve,
    stored_deliveries,
)
from tests.receiver import answer_after

APPOINTMENT = {"id": 880143, "schedule_id": 51423, "full_name": "Ines Moreau", "price": 15.0}
WISH = {"trigger": "new_appointment"}


def subscribe(url, key, target_url, wish=WISH):
    with SubscriberCalls(url, key) as calls:
        return calls.subscribe({**wish, "target_url": target_url})


def publish(url, key, data=APPOINTMENT):
    with Relais(url, key) as relais:
        return relais.publish("demo", "appointment.create", data)


def deliveries(url, key):
    with SubscriberCalls(url, key) as calls:
        return list(calls.deliveries())


def settled(url, key, count):
    """Return the deliveries once so many have ended; they end a moment after the answer."""
    for _ in range(200):
        found = [one for one in deliveries(url, key) if one["settled_at"]]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(found)} of {count} deliveries have ended")


def test_only_the_first_start_prints_keys(tmp_path):
    with serve(tmp_path) as first:
        url = first.url
        assert first.rest_of("Publisher key: ").startswith("rk_")
        assert first.rest_of("Account key: ").startswith("rk_")
        assert first.stop() == 0

    with serve(tmp_path, RELAIS_HOST="localhost") as second:
        assert second.url.startswith("http://localhost:")
        assert second.stop() == 0

    assert url.startswith("http://127.0.0.1:")
    assert [line for line in second.lines if "key" in line.lower()] == []
    assert second.lines[0].startswith(READY)


def test_a_published_event_arrives_signed(running, receiver):
    made = subscribe(running.url, running.account_key, receiver.url)

    published = publish(running.url, running.publisher_key)

    [request] = receiver.wait_for(1)
    payload = Webhook(made["secret"]).verify(request.body, dict(request.headers))
    assert payload["id"] == published.id
    assert payload["trigger"] == "new_appointment"
    assert payload["appointment_id"] == APPOINTMENT["id"]
    assert payload == json.loads(request.body)
    assert request.header("content-type") == "application/json"


def test_a_stop_waits_for_what_is_on_the_network(tmp_path, receiver):
    receiver.misbehave(answer_after(0.7))
    with serve(tmp_path) as relais:
        publisher_key = relais.rest_of("Publisher key: ")
        account_key = relais.rest_of("Account key: ")
        subscribe(relais.url, account_key, receiver.url)
        publish(relais.url, publisher_key)
        receiver.wait_for(1)

        assert relais.stop(patience_s=8) == 0

    [delivery] = stored_deliveries(tmp_path)
    assert delivery.state is DeliveryState.SUCCEEDED
    assert delivery.attempt_count == 1


def test_what_was_accepted_survives_a_kill(tmp_path, receiver):
    publisher_key, account_key = make_first_keys(tmp_path)
    with RelaisProcess("api", "--port", "0", "--data", str(tmp_path)) as api:
        subscribe(api.url, account_key, receiver.url)
        published = publish(api.url, publisher_key)
        api.kill()

    with RelaisProcess("worker", "--data", str(tmp_path)) as worker:
        worker.rest_of("The worker delivers.")
        [request] = receiver.wait_for(1)

        assert worker.stop() == 0
    assert json.loads(request.body)["id"] == published.id


def test_a_killed_worker_loses_nothing_to_the_next_one(tmp_path, receiver):
    publisher_key, account_key = make_first_keys(tmp_path)
    with RelaisProcess("api", "--port", "0", "--data", str(tmp_path)) as api:
        subscribe(api.url, account_key, receiver.url)
        with RelaisProcess("worker", "--data", str(tmp_path)) as first:
            publish(api.url, publisher_key)
            receiver.wait_for(1)
            first.kill()
        publish(api.url, publisher_key, {**APPOINTMENT, "id": 880144})

        with RelaisProcess("worker", "--data", str(tmp_path)):
            requests = receiver.wait_for(2)

    assert 880144 in {json.loads(one.body)["appointment_id"] for one in requests}


def test_workers_share_the_work_and_deliver_nothing_twice(tmp_path, receiver):
    receiver.misbehave(answer_after(0.03))
    publisher_key, account_key = make_first_keys(tmp_path)
    events = [NewEvent("demo", "appointment.create", {**APPOINTMENT, "id": n}) for n in range(60)]
    worker = ("worker", "--data", str(tmp_path))
    with (
        RelaisProcess("api", "--port", "0", "--data", str(tmp_path)) as api,
        RelaisProcess(*worker, RELAIS_WORKER_SLOTS="4") as first,
        RelaisProcess(*worker, RELAIS_WORKER_SLOTS="4") as second,
    ):
        subscribe(api.url, account_key, receiver.url)
        for one in (first, second):
            one.rest_of("The worker delivers.")
        with Relais(api.url, publisher_key) as relais:
            relais.publish_batch(events)
        settled(api.url, account_key, len(events))

        logs = [one.log for one in (first, second)]
    ids = [one.header("webhook-id") for one in receiver.requests]
    assert len(ids) == len(set(ids)) == len(events)
    assert all(log.count("delivery.attempted") > 0 for log in logs)


def children_of(process):
    """Return the ids of a process's children, by what they are: the API first."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not path.exists():
        pytest.skip("only Linux lists children in /proc")
    api, worker = sorted(map(int, path.read_text().split()))
    return api, worker


def test_a_worker_that_dies_is_replaced(tmp_path, receiver):
    with serve(tmp_path) as relais:
        url, publisher_key = relais.url, relais.rest_of("Publisher key: ")
        subscribe(url, relais.rest_of("Account key: "), receiver.url)
        _, worker = children_of(relais.process)

        os.kill(worker, signal.SIGKILL)
        publish(url, publisher_key)

        receiver.wait_for(1)
        assert relais.stop() == 0


def test_an_api_that_dies_is_replaced_at_the_same_address(tmp_path):
    with serve(tmp_path) as relais:
        url, publisher_key = relais.url, relais.rest_of("Publisher key: ")
        api, _ = children_of(relais.process)

        os.kill(api, signal.SIGKILL)

        # Connections wait for the next one: nobody is refused.
        assert publish(url, publisher_key).id.startswith("evt_")
        assert relais.stop() == 0


def test_nothing_is_left_of_a_tree_whose_parent_was_killed(tmp_path):
    with serve(tmp_path) as first:
        port = first.url.rpartition(":")[2]

        first.kill()  # and wait until nobody writes to its output any more

    with RelaisProcess("serve", "--port", port, "--data", str(tmp_path)) as second:
        assert second.url.endswith(port)


def test_several_processes_answer_and_deliver(tmp_path, receiver):
    more = {"RELAIS_API_PROCESSES": "2", "RELAIS_WORKER_PROCESSES": "2"}
    with serve(tmp_path, **more) as relais:
        url, publisher_key = relais.url, relais.rest_of("Publisher key: ")
        account_key = relais.rest_of("Account key: ")
        subscribe(url, account_key, receiver.url)

        for number in range(20):
            publish(url, publisher_key, {**APPOINTMENT, "id": number})

        settled(url, account_key, 20)
        assert relais.stop() == 0
    ids = [one.header("webhook-id") for one in receiver.requests]
    assert len(ids) == len(set(ids)) == 20


def test_a_store_in_memory_is_served_by_one_process(tmp_path, receiver):
    with serve(tmp_path, RELAIS_DATABASE_URL="sqlite://") as relais:
        url, publisher_key = relais.url, relais.rest_of("Publisher key: ")
        subscribe(url, relais.rest_of("Account key: "), receiver.url)

        publish(url, publisher_key)

        receiver.wait_for(1)
        assert relais.stop() == 0


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with RelaisProcess("serve", "--port", str(port), "--data", str(tmp_path)) as relais:
            assert relais.wait() == 1

            assert f"relais: Cannot listen on 127.0.0.1, port {port}" in relais.log
            assert "Traceback" not in relais.log
