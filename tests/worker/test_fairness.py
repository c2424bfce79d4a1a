"""Who shares a worker with whom: slow, hanging and busy receivers beside healthy ones.

Real store, sender and sockets. The figures are those of scenarios 9 and 10 of the threat
model (docs/proofs.md): a healthy subscriber's 95th percentile stays under 2 s.
"""

import contextlib
import json
import statistics
import time

import pytest

from app.services.ingest import publish, publish_batch
from app.services.publications import NewEvent
from tests.contracts.stores import file_store
from tests.receiver import Receiver, drip_headers, endless_body, hang
from tests.worker.deployments import ACCOUNT, a_real_context, delivering, subscribed

BAR_S = 2.0


@pytest.fixture
def context(tmp_path):
    store = file_store(tmp_path)
    yield a_real_context(store)
    store.close()


def an_event(number):
    return NewEvent(account=ACCOUNT, type="appointment.create", data={"id": number})


def cancelled(number):
    return NewEvent(account=ACCOUNT, type="appointment.destroy", data={"id": number})


def delays(receiver, published, *, copies=1):
    """Return how long each event took to its receiver, in seconds."""
    arrived = {}
    for request in receiver.wait_for(copies * len(published), timeout=60):
        arrived.setdefault(json.loads(request.body)["id"], request.arrived_at)
    return sorted(arrived[event_id] - moment for event_id, moment in published.items())


def p95(values):
    return statistics.quantiles(values, n=20)[-1]


def test_half_of_the_subscribers_hang_and_the_others_notice_nothing(context):
    with contextlib.ExitStack() as stack:
        for behaviour in (hang, drip_headers, endless_body) * 8:
            stuck = stack.enter_context(Receiver())
            stuck.misbehave(behaviour)
            subscribed(context, stuck.url)
        healthy = [stack.enter_context(Receiver()) for _ in range(8)]
        for one in healthy:
            for number in range(3):
                subscribed(context, f"{one.url}?n={number}")

        with delivering(context, patience_s=0.1, slots=128):
            published = {}
            for number in range(40):
                answer = publish(context, an_event(number))
                published[answer.id] = time.monotonic()
                time.sleep(0.05)  # a steady stream, not one burst
            found = [delay for one in healthy for delay in delays(one, published, copies=3)]

    assert len(found) == 40 * len(healthy)
    assert p95(found) <= BAR_S


def test_a_long_backlog_of_one_leaves_room_for_a_drip_of_another(context):
    with Receiver() as busy, Receiver() as quiet:
        subscribed(context, busy.url)
        subscribed(context, quiet.url, filters={"event": "destroy"})
        for hundred in range(30):
            publish_batch(context, [an_event(100 * hundred + number) for number in range(100)])

        with delivering(context, patience_s=0.1):
            published = {}
            for number in range(10):
                answer = publish(context, cancelled(number))
                published[answer.id] = time.monotonic()
                time.sleep(0.1)  # a drip
            still_waiting = 3_010 - len(busy.requests)
            found = delays(quiet, published)

    assert still_waiting > 0
    assert p95(found) <= BAR_S


def test_a_host_that_hangs_has_few_slots_whoever_subscribes_to_it(context):
    with Receiver() as stuck, Receiver() as healthy:
        stuck.misbehave(hang)
        host = stuck.url.replace("127.0.0.1", "127.0.0.2")
        for number in range(40):
            subscribed(context, f"{host}?n={number}")
        subscribed(context, healthy.url)

        with delivering(context, patience_s=0.1, slots=64):
            for number in range(4):
                publish(context, an_event(number))
            healthy.wait_for(4)
            started = time.monotonic()
            publish(context, an_event(9))
            healthy.wait_for(5)
            took = time.monotonic() - started

    assert took <= BAR_S
    assert len(stuck.requests) <= 16
