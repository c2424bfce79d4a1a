"""The delivering loop end to end: real store, real sender, a real receiver."""

import contextlib
import json
import logging
import threading
import time

import pytest
from standardwebhooks import Webhook

from app.core.deliveries import DeliveryState
from app.core.errors import UnavailableError
from app.core.records import DeliveryQuery
from app.core.subscriptions import SubscriptionState
from app.services import deliver
from app.services.deliveries import read_delivery, redeliver
from app.services.settle import settle_attempts
from app.services.subscribe import Change, change_subscription, pause, resume, unsubscribe
from app.storage.store import SqlTx
from app.transport.sender import CurlSender
from tests.builders import a_refusal
from tests.contracts.stores import file_store
from tests.receiver import Receiver, answer_after, hang
from tests.worker.deployments import a_real_context, delivering, published, subscribed

PATIENCE_S = 30


@pytest.fixture
def context(tmp_path):
    store = file_store(tmp_path)
    yield a_real_context(store)
    store.close()


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


def deliveries(context, subscription):
    with context.store.read() as tx:
        page = tx.deliveries(subscription.account_id, DeliveryQuery(), limit=100, cursor=None)
    return page.items


def until(condition):
    """Wait for another thread; fails where it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)  # another thread is at work


def settled(context, subscription):
    return all(one.settled_at for one in deliveries(context, subscription))


def test_a_published_event_arrives_signed_and_is_settled(context, receiver):
    subscription = subscribed(context, receiver.url)

    with delivering(context):
        published(context, id=880143, price=15.5)
        [request] = receiver.wait_for(1)
        until(lambda: settled(context, subscription))

    headers = {name.lower(): value for name, value in request.headers}
    payload = Webhook(subscription.secret).verify(request.body, headers)
    [delivery] = deliveries(context, subscription)
    assert (payload["appointment_id"], payload["price"]) == (880143, 15.5)
    assert headers["webhook-id"] == delivery.id
    assert delivery.state is DeliveryState.SUCCEEDED


def test_many_events_arrive_once_each(context, receiver):
    subscription = subscribed(context, receiver.url)

    with delivering(context):
        for number in range(100):
            published(context, id=number)
        requests = receiver.wait_for(100)
        until(lambda: settled(context, subscription))

    assert sorted(json.loads(one.body)["appointment_id"] for one in requests) == list(range(100))
    assert len(receiver.requests) == 100


def test_a_refused_delivery_keeps_its_bytes_and_waits_for_its_schedule(context, receiver):
    receiver.answer(500, body=b"no", times=1)
    receiver.answer(200)
    subscription = subscribed(context, receiver.url)

    with delivering(context):
        published(context, id=1)
        [first] = receiver.wait_for(1)
        until(lambda: deliveries(context, subscription)[0].attempt_count == 1)

    [delivery] = deliveries(context, subscription)
    story = read_delivery(context, subscription.account_id, delivery.id)
    waited = (delivery.next_attempt_at - delivery.created_at).total_seconds()
    assert delivery.state is DeliveryState.PENDING
    assert 5 <= waited <= 8
    assert story.payload.body == first.body
    assert story.attempts[0].outcome.response_body == b"no"


def test_410_ends_the_subscription_and_cancels_what_waits(context, receiver):
    receiver.answer(410)
    subscription = subscribed(context, receiver.url)
    with context.store.read() as tx:
        assert tx.subscription(subscription.id).state is SubscriptionState.ACTIVE

    with delivering(context):
        published(context, id=1)
        until(lambda: settled(context, subscription))

    with context.store.read() as tx:
        assert tx.subscription(subscription.id).state is SubscriptionState.ENDED
    assert published(context, id=2).deliveries == 0
    [delivery] = deliveries(context, subscription)
    assert delivery.state is DeliveryState.CANCELLED


def test_a_redelivery_sends_the_same_bytes_under_the_same_webhook_id(context, receiver):
    subscription = subscribed(context, receiver.url)

    with delivering(context):
        published(context, id=1)
        receiver.wait_for(1)
        until(lambda: settled(context, subscription))
        redeliver(context, subscription.account_id, deliveries(context, subscription)[0].id)
        first, second = receiver.wait_for(2)

    assert first.body == second.body
    assert first.header("webhook-id") == second.header("webhook-id")


def test_a_paused_subscription_holds_what_waits_until_it_is_resumed(context, receiver):
    subscription = subscribed(context, receiver.url)
    published(context, id=1)
    pause(context, subscription.account_id, subscription.id)

    with delivering(context) as loop:
        context.doorbell.ring()
        until(lambda: loop is not None and published(context, id=2).deliveries == 0)
        assert receiver.requests == []
        resume(context, subscription.account_id, subscription.id)
        [request] = receiver.wait_for(1)

    assert json.loads(request.body)["appointment_id"] == 1


def test_nothing_is_sent_after_unsubscribing(context, receiver):
    subscription = subscribed(context, receiver.url)
    published(context, id=1)
    unsubscribe(context, subscription.account_id, subscription.id)
    other = subscribed(context, receiver.url)

    with delivering(context):
        published(context, id=2)
        [request] = receiver.wait_for(1)
        until(lambda: settled(context, other))

    assert json.loads(request.body)["appointment_id"] == 2


def test_a_hanging_receiver_does_not_hold_up_the_others(context, receiver):
    with Receiver() as stuck:
        stuck.misbehave(hang)
        subscribed(context, stuck.url)
        subscribed(context, receiver.url)

        with delivering(context, patience_s=0.2):
            for number in range(5):
                published(context, id=number)
            requests = receiver.wait_for(5)

    assert len(requests) == 5


def test_stopping_finishes_what_is_on_the_network(context, receiver):
    receiver.misbehave(answer_after(0.5))
    subscription = subscribed(context, receiver.url)

    with delivering(context):
        published(context, id=1)
        receiver.wait_for(1)

    [delivery] = deliveries(context, subscription)
    assert delivery.state is DeliveryState.SUCCEEDED


def test_what_did_not_finish_is_left_under_its_lease(context, receiver):
    receiver.misbehave(hang)
    subscription = subscribed(context, receiver.url)

    with delivering(context, patience_s=0.2):
        published(context, id=1)
        receiver.wait_for(1)

    [delivery] = deliveries(context, subscription)
    assert delivery.state is DeliveryState.SENDING
    assert delivery.attempt_count == 0


def test_a_worker_that_lost_its_lease_cannot_settle(context, receiver):
    subscription = subscribed(context, receiver.url)
    published(context, id=1)
    [stale] = deliver.claim(context, worker="frozen", limit=1)
    prepared = deliver.prepare(context, stale, user_agent="Relais/test")
    with context.store.write() as tx:
        tx.release([stale.lease])

    with delivering(context, name="quick"):
        receiver.wait_for(1)
        until(lambda: settled(context, subscription))
    ended = deliver.EndedAttempt(
        prepared=prepared, outcome=a_refusal(500), ended_at=context.clock.now()
    )
    lost = settle_attempts(context, [ended]).lost

    [delivery] = deliveries(context, subscription)
    assert lost == {delivery.id}
    assert delivery.state is DeliveryState.SUCCEEDED


def test_two_workers_share_the_work_without_repeating_it(context, receiver):
    subscription = subscribed(context, receiver.url)
    for number in range(100):
        published(context, id=number)

    with delivering(context, name="one"), delivering(context, name="two"):
        receiver.wait_for(100)
        until(lambda: settled(context, subscription))

    assert len(receiver.requests) == 100


def test_the_log_names_the_host_and_never_the_url_or_the_payload(context, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    url = receiver.url + "?token=canary-in-url"
    subscription = subscribed(context, url)

    with delivering(context):
        published(context, id=1, full_name="canary-in-payload")
        receiver.wait_for(1)
        until(lambda: settled(context, subscription))

    [line] = [one for one in caplog.records if one.getMessage() == "delivery.attempted"]
    everything = " ".join(str(vars(one)) for one in caplog.records)
    assert line.host == "127.0.0.1"
    assert (line.outcome, line.state, line.number) == ("succeeded", "succeeded", 1)
    assert "canary" not in everything
    assert subscription.secret not in everything


def test_a_store_that_fails_for_a_while_does_not_end_delivery(context, receiver, monkeypatch):
    subscription = subscribed(context, receiver.url)
    real, failures = deliver.claim, iter([RuntimeError("odd"), RuntimeError("odd")])

    def sometimes(*args, **kwargs):
        with contextlib.suppress(StopIteration):
            raise next(failures)
        return real(*args, **kwargs)

    monkeypatch.setattr(deliver, "claim", sometimes)

    with delivering(context):
        published(context, id=1)
        receiver.wait_for(1)
        until(lambda: settled(context, subscription))


def test_410_from_an_old_target_does_not_end_a_subscription_that_moved(context, receiver):
    receiver.misbehave(answer_after(0.5, 410))
    subscription = subscribed(context, receiver.url)

    with Receiver() as new, delivering(context):
        published(context, id=1)
        receiver.wait_for(1)
        change_subscription(
            context, subscription.account_id, subscription.id, Change(target_url=new.url)
        )
        new.wait_for(1)
        until(lambda: settled(context, subscription))

    with context.store.read() as tx:
        assert tx.subscription(subscription.id).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("part", ["next_due_at", "settle"])
def test_a_store_that_is_down_for_a_while_does_not_end_delivery(
    context, receiver, monkeypatch, part
):
    subscription = subscribed(context, receiver.url)
    real, failures = getattr(SqlTx, part), iter([UnavailableError("down")] * 2)

    def sometimes(*args, **kwargs):
        for failure in failures:
            raise failure
        return real(*args, **kwargs)

    monkeypatch.setattr(SqlTx, part, sometimes)

    with delivering(context):
        published(context, id=1)
        receiver.wait_for(1)
        until(lambda: settled(context, subscription))

    assert len(receiver.requests) == 1


def test_an_attempt_that_cannot_be_settled_takes_no_other_with_it(
    context, receiver, monkeypatch, caplog
):
    caplog.set_level(logging.INFO, logger="relais.delivery")
    subscription = subscribed(context, receiver.url)
    for number in range(3):
        published(context, id=number)
    poison = deliveries(context, subscription)[0].id
    real = SqlTx.settle

    def choking(tx, settlements):
        if any(one.lease.delivery_id == poison for one in settlements):
            raise RuntimeError("odd")
        return real(tx, settlements)

    monkeypatch.setattr(SqlTx, "settle", choking)

    with delivering(context):
        receiver.wait_for(3)
        until(
            lambda: (
                sum(one.settled_at is not None for one in deliveries(context, subscription)) == 2
            )
        )

    told = {one.delivery for one in caplog.records if one.getMessage() == "delivery.attempted"}
    assert told == {one.id for one in deliveries(context, subscription)} - {poison}


def test_a_thread_that_dies_is_told(context, receiver, monkeypatch):
    died = threading.Event()
    subscribed(context, receiver.url)

    def broken(*_args):
        raise RuntimeError("odd")

    monkeypatch.setattr(CurlSender, "submit", broken)

    with delivering(context, patience_s=0.1, on_failure=died.set):
        published(context, id=1)
        assert died.wait(PATIENCE_S)


def test_a_long_backlog_for_a_hanging_receiver_does_not_delay_others(context, receiver):
    with Receiver() as stuck:
        stuck.misbehave(hang)
        subscribed(context, stuck.url)
        for number in range(50):
            published(context, id=number)
        subscribed(context, receiver.url)

        with delivering(context, patience_s=0.2, slots=10):
            stuck.wait_for(4)
            published(context, id=99)
            [request] = receiver.wait_for(1)

    assert json.loads(request.body)["appointment_id"] == 99
    assert len(stuck.requests) == 4
