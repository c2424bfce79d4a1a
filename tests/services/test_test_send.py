"""Test sends: what goes out is what a delivery would be; what comes back is shown."""

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from app.core import jsontext
from app.core.batching import Batching
from app.core.deliveries import Outcome, OutcomeKind
from app.core.errors import ConflictError, NotFoundError, RateLimitedError
from app.core.records import DeliveryQuery
from app.services import deliver
from app.services.samples import SampleQuery, samples
from app.services.subscribe import pause
from app.services.test_send import send_test
from app.system.clock import SystemClock
from tests.contexts import a_context, an_answer
from tests.services.steps import published, subscribed, with_account


@pytest.fixture
def account(context):
    return with_account(context)


@pytest.fixture
def made(context, account):
    return subscribed(context, account.id, "changed_appointment", filters={"event": "destroy"})


def test_the_sample_goes_out_whatever_the_filter_says(context, account, made):
    published(context, account.reference)

    sent = send_test(context, account.id, made.id)

    shown = samples(context, account.id, "changed_appointment", SampleQuery(limit=1)).payloads[0]
    [request] = context.caller.requests
    assert request.body == jsontext.encode(shown)
    assert shown["event"] == "create"
    assert sent.request == request
    assert sent.outcome == an_answer()


def test_the_example_goes_out_where_nothing_happened_yet(context, account, made):
    sent = send_test(context, account.id, made.id)

    shown = samples(context, account.id, "changed_appointment", SampleQuery(limit=1)).payloads[0]
    assert jsontext.decode(sent.request.body) == shown


def test_it_looks_and_is_signed_like_a_delivery(context, account):
    made = subscribed(context, account.id, "changed_appointment")
    published(context, account.reference)
    [claimed] = deliver.claim(context, worker="w", limit=1)
    delivered = deliver.prepare(context, claimed, user_agent="Relais").request

    test = send_test(context, account.id, made.id).request

    own = {"webhook-id", "webhook-signature"}
    assert [name for name, _ in test.headers] == [name for name, _ in delivered.headers]
    assert [one for one in test.headers if one[0] not in own] == [
        one for one in delivered.headers if one[0] not in own
    ]
    assert _but_for_headers(test) == _but_for_headers(delivered)


def test_it_is_an_array_of_one_where_events_go_together(context, account):
    manner = {"batching": Batching(max_events=2, max_age_seconds=60)}
    made = subscribed(context, account.id, "changed_appointment", manner=manner)

    sent = send_test(context, account.id, made.id)

    shown = samples(context, account.id, "changed_appointment", SampleQuery(limit=1)).payloads
    assert jsontext.decode(sent.request.body) == list(shown)


def test_an_independent_verifier_accepts_it():
    real = a_context(clock=SystemClock())
    account = with_account(real)
    made = subscribed(real, account.id, "changed_appointment")

    sent = send_test(real, account.id, made.id)

    real.store.close()
    Webhook(made.secret).verify(sent.request.body, dict(sent.request.headers))
    assert dict(sent.request.headers)["webhook-id"] == sent.id


def test_each_test_has_an_id_of_its_own_and_leaves_nothing_behind(context, account, made):
    first, second = (send_test(context, account.id, made.id) for _ in range(2))

    assert first.id != second.id
    assert first.id.startswith("tst_")
    with context.store.read() as tx:
        assert tx.deliveries(account.id, DeliveryQuery(), limit=9, cursor=None).items == ()


def test_a_paused_subscription_can_be_tried(context, account, made):
    pause(context, account.id, made.id)

    assert send_test(context, account.id, made.id).outcome.is_success


def test_a_target_that_has_not_confirmed_gets_no_data(context, account):
    pending = subscribed(context, account.id, "changed_appointment", handshake=True)

    with pytest.raises(ConflictError):
        send_test(context, account.id, pending.id)

    assert len(context.caller.requests) == 1  # the handshake


@pytest.mark.parametrize(("duration_ms", "detail"), [(1, "10.0.0.1"), (250, "127.0.0.1:22")])
def test_every_blocked_address_looks_the_same(context, account, made, duration_ms, detail):
    blocked = Outcome(
        kind=OutcomeKind.BLOCKED_ADDRESS, duration_ms=duration_ms, detail=detail, status_code=200
    )
    context.caller.answer = lambda _request: blocked

    outcome = send_test(context, account.id, made.id).outcome

    assert outcome == Outcome(kind=OutcomeKind.BLOCKED_ADDRESS, duration_ms=0)


def test_what_is_for_operators_is_not_shown(context, account, made):
    context.caller.answer = lambda _request: an_answer(500, detail="connected to 192.0.2.1")

    assert send_test(context, account.id, made.id).outcome == an_answer(500)


def test_an_account_has_ten_a_minute(context, account, made):
    for _ in range(10):
        send_test(context, account.id, made.id)

    with pytest.raises(RateLimitedError) as refused:
        send_test(context, account.id, made.id)

    assert refused.value.retry_after_seconds == 6
    assert len(context.caller.requests) == 10
    context.clock.advance(timedelta(seconds=6))
    send_test(context, account.id, made.id)


def test_no_transaction_is_open_while_it_is_sent(context, account, made):
    def answer(_request):
        pause(context, account.id, made.id)
        return an_answer()

    context.caller.answer = answer

    assert send_test(context, account.id, made.id).outcome.is_success


def test_nobody_tries_what_is_not_theirs(context, made):
    other = with_account(context, reference="salon-2")

    with pytest.raises(NotFoundError):
        send_test(context, other.id, made.id)

    assert context.caller.requests == []


def _but_for_headers(request):
    timeouts = request.total_timeout_s, request.connect_timeout_s
    return request.method, request.target_url, request.body, timeouts
