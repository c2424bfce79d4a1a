"""Handshake and test send over real HTTP, through the guard that deliveries go through."""

from ipaddress import IPv4Network

import pytest
from standardwebhooks.webhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from app.core.deliveries import OutcomeKind
from app.core.subscriptions import SubscriptionState
from app.services.handshake import confirm
from app.services.subscribe import subscribe
from app.services.test_send import send_test
from app.services.wishes import Wish
from app.system.clock import SystemClock
from app.transport.caller import CurlCaller
from app.transport.sender import CurlSender
from tests.contexts import a_context
from tests.receiver import Receiver, response_bytes
from tests.services.steps import subscribed, with_account

LOOPBACK = IPv4Network("127.0.0.0/8")


def a_caller(*allowed_networks):
    clock = SystemClock().now
    return CurlCaller(
        lambda: CurlSender(user_agent="Relais/9", clock=clock, allowed_networks=allowed_networks)
    )


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def context():
    made = a_context(clock=SystemClock(), caller=a_caller(LOOPBACK))
    yield made
    made.caller.close()
    made.store.close()


def asked(context, account, receiver):
    wish = Wish(triggers=("changed_appointment",), target_url=receiver.url, handshake=True)
    return subscribe(context, account.id, wish).subscription


def repeat_the_secret(exchange):
    secret = exchange.request.header("X-Hook-Secret")
    exchange.send(response_bytes(200, headers={"X-HOOK-SECRET": secret}))


def test_a_target_repeats_the_secret(context, receiver):
    account = with_account(context)
    receiver.misbehave(repeat_the_secret)

    made = asked(context, account, receiver)

    [request] = receiver.wait_for(1)
    assert (request.method, request.body) == ("POST", b"")
    assert made.state is SubscriptionState.ACTIVE


def test_a_target_confirms_later(context, receiver):
    account = with_account(context)
    receiver.answer(204)

    made = asked(context, account, receiver)

    [request] = receiver.wait_for(1)
    assert made.state is SubscriptionState.PENDING
    secret = request.header("X-Hook-Secret")
    assert request.header("X-Hook-Subscription") == made.id
    assert confirm(context, account.id, made.id, secret).state is SubscriptionState.ACTIVE


def test_a_private_address_gets_no_handshake_and_no_test(receiver):
    # The rules for URLs let it pass, as they would a name; the guard at the socket does not.
    context = a_context(caller=a_caller())
    account = with_account(context)

    made = asked(context, account, receiver)
    plain = subscribed(context, account.id, "new_appointment", url=receiver.url)
    sent = send_test(context, account.id, plain.id)

    context.caller.close()
    context.store.close()
    assert made.state is SubscriptionState.PENDING
    assert sent.outcome.kind is OutcomeKind.BLOCKED_ADDRESS
    assert receiver.connection_count == 0


@pytest.mark.parametrize("verifier", [Webhook, SvixWebhook])
def test_a_test_arrives_as_it_is_shown_and_verifies(context, receiver, verifier):
    account = with_account(context)
    receiver.answer(200)
    made = subscribed(context, account.id, "changed_appointment", url=receiver.url)

    sent = send_test(context, account.id, made.id)

    [request] = receiver.wait_for(1)
    assert sent.outcome.is_success
    assert request.body == sent.request.body
    assert set(sent.request.headers) <= set(request.headers)
    verifier(made.secret).verify(request.body, dict(request.headers))
