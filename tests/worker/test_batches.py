"""Batches through the real loop, over the network."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from app.core.batching import Batching
from app.core.deliveries import DeliveryState
from app.core.records import DeliveryQuery
from app.services import deliver
from app.services.deliveries import read_delivery, redeliver
from app.services.subscribe import Change, change_subscription
from tests.contracts.stores import STORES, drop
from tests.receiver import Receiver
from tests.worker.deployments import a_real_context, delivering, published, subscribed
from tests.worker.test_loop import deliveries, until

THREE = Batching(max_events=3, max_age_seconds=1)
SLOW = Batching(max_events=3, max_age_seconds=3_600)


@pytest.fixture(params=STORES)
def context(request, tmp_path):
    store = STORES[request.param](tmp_path)
    yield a_real_context(store)
    drop(store)


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


def batching(context, url, how=THREE):
    return subscribed(context, url, manner={"batching": how})


def all_settled(context, subscription):
    found = deliveries(context, subscription)
    return all(one.state is DeliveryState.SUCCEEDED for one in found)


def ids_in(request):
    return [one["appointment_id"] for one in json.loads(request.body)]


def test_events_arrive_together_signed_and_settled(context, receiver):
    subscription = batching(context, receiver.url, SLOW)

    with delivering(context):
        for number in range(6):
            published(context, id=number)
        requests = receiver.wait_for(2)
        until(lambda: all_settled(context, subscription))

    headers = {name.lower(): value for name, value in requests[0].headers}
    assert Webhook(subscription.secret).verify(requests[0].body, headers)
    assert sorted(number for one in requests for number in ids_in(one)) == list(range(6))
    assert [len(ids_in(one)) for one in requests] == [3, 3]
    with context.store.read() as tx:
        assert tx.activity([subscription.id])[subscription.id].delivery_count == 6


def test_few_events_go_when_the_first_is_old(context, receiver):
    batching(context, receiver.url)

    with delivering(context):
        published(context, id=1)
        published(context, id=2)
        [request] = receiver.wait_for(1)

    assert ids_in(request) == [1, 2]


def test_a_batch_that_died_with_its_worker_is_sent_again_in_the_same_bytes(context, receiver):
    subscription = batching(context, receiver.url, SLOW)
    for number in range(3):
        published(context, id=number)
    rules = replace(context.rules, delivery_timeout=timedelta(seconds=0.1))
    [claimed] = deliver.claim(replace(context, rules=rules), worker="dead", limit=10)
    first = deliver.prepare(context, claimed, user_agent="Relais/test").request
    published(context, id=3)

    with delivering(context):
        [again] = receiver.wait_for(1)
        until(
            lambda: (
                sum(one.settled_at is not None for one in deliveries(context, subscription)) == 3
            )
        )

    assert again.body == first.body
    assert again.header("webhook-id") == dict(first.headers)["webhook-id"] == claimed.batch_id


def test_a_member_tells_what_was_really_sent(context, receiver):
    receiver.answer(200, body=b"thanks")
    subscription = batching(context, receiver.url)

    with delivering(context):
        published(context, id=1)
        published(context, id=2)
        [together] = receiver.wait_for(1)
        until(lambda: all_settled(context, subscription))
        one, *_others = deliveries(context, subscription)
        redeliver(context, subscription.account_id, one.id)
        [_, alone] = receiver.wait_for(2)
        until(lambda: all_settled(context, subscription))

    story = read_delivery(context, subscription.account_id, one.id)
    first, second = story.attempts
    assert story.body_of(first) == together.body
    assert story.body_of(second) == alone.body == b"[" + story.payload.body + b"]"
    assert first.batch_id == together.header("webhook-id") != second.batch_id
    assert first.outcome.response_body == b"thanks"


def test_batching_can_begin_and_end_while_events_come(context, receiver):
    subscription = subscribed(context, receiver.url)

    with delivering(context):
        published(context, id=1)
        receiver.wait_for(1)
        change(context, subscription, SLOW)
        for number in (2, 3, 4, 5):
            published(context, id=number)
        receiver.wait_for(2)
        change(context, subscription, None)
        published(context, id=6)
        bodies = [json.loads(one.body) for one in receiver.wait_for(4)]

    lone, together, *rest = bodies
    assert lone["appointment_id"] == 1
    assert [one["appointment_id"] for one in together] == [2, 3, 4]
    assert sorted(one["appointment_id"] for one in rest) == [5, 6]


def change(context, subscription, how):
    change_subscription(
        context, subscription.account_id, subscription.id, Change(manner={"batching": how})
    )
    context.doorbell.ring()


def test_one_attempt_a_member_is_kept(context, receiver):
    receiver.answer(500)
    subscription = batching(context, receiver.url, SLOW)
    for number in range(3):
        published(context, id=number)

    with delivering(context):
        receiver.wait_for(1)
        until(lambda: all(one.attempt_count for one in deliveries(context, subscription)))

    query = DeliveryQuery()
    with context.store.read() as tx:
        page = tx.deliveries(subscription.account_id, query, limit=9, cursor=None)
        attempts = [tx.attempts(one.id) for one in page.items]
    [[one], [two], [three]] = attempts
    assert one.started_at == two.started_at == three.started_at
    assert len({one.id, two.id, three.id}) == 3
    assert len({delivery.next_attempt_at for delivery in page.items}) == 1
