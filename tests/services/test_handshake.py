"""The handshake: who confirms, how, how often, until when; and what a pending one may not."""

from datetime import timedelta

import pytest

from app.core.deliveries import Outcome, OutcomeKind
from app.core.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
)
from app.core.subscriptions import StateReason, SubscriptionState
from app.services.handshake import CONFIRM_WITHIN, confirm, expire_unconfirmed
from app.services.subscribe import Change, change_subscription, pause, resume, subscribe
from app.services.subscriptions import find_subscription
from app.services.wishes import Wish
from tests.contexts import an_answer
from tests.services.steps import published, with_account

URL = "https://hooks.example.com/1"
SECOND = timedelta(seconds=1)
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE


@pytest.fixture
def account(context):
    return with_account(context)


@pytest.fixture
def caller(context):
    return context.caller


def wish(**changes):
    asked = {"triggers": ("changed_appointment",), "target_url": URL, "handshake": True}
    return Wish(**asked | changes)


def asked(context, account, **changes):
    return subscribe(context, account.id, wish(**changes)).subscription


def hook_secret(request):
    return dict(request.headers)["X-Hook-Secret"]


def echoing(request, status_code=200):
    return an_answer(status_code, response_headers=(("x-hook-secret", hook_secret(request)),))


def test_a_target_that_repeats_the_secret_confirms_at_once(context, account, caller):
    caller.answer = echoing

    made = asked(context, account)

    assert (made.state, made.state_reason, made.confirmation) == (ACTIVE, None, None)
    assert made.confirmed_at == context.clock.now()
    assert find_subscription(context, account.id, made.id) == made


def test_the_target_gets_one_empty_post_with_the_secret_and_the_id(context, account, caller):
    made = asked(context, account)

    [request] = caller.requests
    assert (request.method, request.target_url, request.body) == ("POST", URL, b"")
    assert dict(request.headers)["X-Hook-Subscription"] == made.id
    assert len(hook_secret(request)) == 43
    assert hook_secret(request) not in made.secret


def test_without_handshake_nobody_is_asked(context, account, caller):
    assert asked(context, account, handshake=False).state is ACTIVE
    assert caller.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda _request: an_answer(200),
        lambda request: echoing(request, 500),
        lambda request: echoing(request, 302),
        lambda _request: an_answer(200, response_headers=(("X-Hook-Secret", ""),)),
        lambda request: an_answer(
            200, response_headers=(("X-Hook-Secret", hook_secret(request)[:-1]),)
        ),
        lambda request: an_answer(
            200, response_headers=(("X-Hook-Secret", hook_secret(request)), ("x-hook-secret", "é"))
        ),
        lambda request: an_answer(200, response_body=hook_secret(request).encode()),
        lambda _request: Outcome(kind=OutcomeKind.BLOCKED_ADDRESS, duration_ms=1),
    ],
    ids=["silent", "500", "302", "empty", "shortened", "twice", "in the body", "blocked"],
)
def test_any_other_answer_leaves_it_pending(context, account, caller, answer):
    caller.answer = answer

    made = asked(context, account)

    assert (made.state, made.state_reason) == (PENDING, StateReason.AWAITS_CONFIRMATION)
    assert made.confirmation.until == context.clock.now() + CONFIRM_WITHIN


def test_no_transaction_is_open_while_the_target_is_asked(context, account, caller):
    def answer(request):
        with context.store.write() as tx:
            assert tx.count_subscriptions(account.id) == 1
        return echoing(request)

    caller.answer = answer

    assert asked(context, account).state is ACTIVE


def test_a_pending_subscription_fires_nothing(context, account):
    asked(context, account)

    assert published(context, account.reference).deliveries == 0


def test_whoever_was_told_the_secret_confirms_once(context, account, caller):
    made = asked(context, account)
    secret = hook_secret(caller.requests[0])

    confirmed = confirm(context, account.id, made.id, secret)

    assert confirmed.state is ACTIVE
    assert published(context, account.reference).deliveries == 1
    with pytest.raises(ConflictError):
        confirm(context, account.id, made.id, secret)


def test_another_secret_confirms_nothing(context, account):
    made = asked(context, account)

    with pytest.raises(InvalidRequestError) as refused:
        confirm(context, account.id, made.id, made.secret)

    assert [one.code for one in refused.value.problems] == ["wrong_secret"]
    assert find_subscription(context, account.id, made.id).state is PENDING


def test_the_secret_of_another_subscription_confirms_nothing(context, account, caller):
    made = asked(context, account)
    asked(context, account, target_url=f"{URL}/2")

    with pytest.raises(InvalidRequestError):
        confirm(context, account.id, made.id, hook_secret(caller.requests[1]))


def test_another_account_confirms_nothing(context, account, caller):
    made = asked(context, account)
    other = with_account(context, reference="salon-2")

    with pytest.raises(NotFoundError):
        confirm(context, other.id, made.id, hook_secret(caller.requests[0]))


def test_after_ten_minutes_it_is_too_late(context, account, caller):
    made = asked(context, account)
    context.clock.advance(CONFIRM_WITHIN)

    with pytest.raises(ConflictError, match="too late"):
        confirm(context, account.id, made.id, hook_secret(caller.requests[0]))


def test_what_nobody_confirmed_in_time_ends_and_the_rest_stays(context, account, caller):
    caller.answer = echoing
    confirmed = asked(context, account, target_url=f"{URL}/confirmed")
    caller.answer = lambda _request: an_answer()
    late = asked(context, account, target_url=f"{URL}/late")
    context.clock.advance(SECOND)
    in_time = asked(context, account, target_url=f"{URL}/in-time")
    context.clock.advance(CONFIRM_WITHIN)

    assert [expire_unconfirmed(context) for _ in range(2)] == [1, 0]

    with context.store.read() as tx:
        ended = tx.subscription(late.id)
    assert (ended.state, ended.state_reason) == (
        SubscriptionState.ENDED,
        StateReason.NOT_CONFIRMED,
    )
    assert find_subscription(context, account.id, in_time.id).state is PENDING
    assert find_subscription(context, account.id, confirmed.id).state is ACTIVE


def test_subscribing_again_asks_again_with_another_secret(context, account, caller):
    first = asked(context, account)
    context.clock.advance(CONFIRM_WITHIN / 2)

    again = subscribe(context, account.id, wish())

    old, new = map(hook_secret, caller.requests)
    assert (again.subscription.id, again.is_new) == (first.id, False)
    assert again.subscription.confirmation.until == context.clock.now() + CONFIRM_WITHIN
    with pytest.raises(InvalidRequestError):
        confirm(context, account.id, first.id, old)
    assert confirm(context, account.id, first.id, new).state is ACTIVE


def test_subscribing_again_without_handshake_confirms_nothing(context, account, caller):
    made = asked(context, account)

    assert asked(context, account, handshake=False) == made
    assert len(caller.requests) == 1


def test_what_is_active_is_not_asked_again(context, account, caller):
    made = asked(context, account, handshake=False)

    assert asked(context, account) == made
    assert caller.requests == []


def test_an_answer_that_comes_after_the_next_question_is_void(context, account, caller):
    def answer_late(request):
        caller.answer = lambda _request: an_answer()
        asked(context, account)
        return echoing(request)

    caller.answer = answer_late

    assert asked(context, account).state is PENDING


@pytest.mark.parametrize("way", [pause, resume])
def test_pausing_and_resuming_is_no_way_around_it(context, account, way):
    made = asked(context, account)

    with pytest.raises(ConflictError):
        way(context, account.id, made.id)


@pytest.mark.parametrize("answer", [echoing, lambda _request: an_answer()])
def test_another_target_has_to_be_asked_itself(context, account, caller, answer):
    caller.answer = answer
    made = asked(context, account)

    with pytest.raises(InvalidRequestError) as refused:
        change_subscription(context, account.id, made.id, Change(target_url=f"{URL}/2"))

    assert [one.code for one in refused.value.problems] == ["confirmed_target"]
    renamed = change_subscription(context, account.id, made.id, Change(name="Yoga"))
    assert (renamed.name, renamed.state) == ("Yoga", made.state)


@pytest.mark.parametrize(
    "changes",
    [
        {"target_url": "https://hooks.zapier.com/hooks/standard/1/2/"},
        {"target_url": "https://hooks.zapier.com/hooks/standard/1/2/", "platform": "generic"},
        {"target_url": "https://hook.eu1.make.com/abc"},
        {"platform": "zapier"},
        {"platform": "make"},
    ],
)
def test_platforms_that_cannot_answer_are_not_asked(context, account, caller, changes):
    with pytest.raises(InvalidRequestError) as refused:
        asked(context, account, **changes)

    assert [(one.field, one.code) for one in refused.value.problems] == [
        ("handshake", "not_supported")
    ]
    assert caller.requests == []


def test_an_account_asks_ten_times_a_minute(context, account, caller):
    for number in range(10):
        asked(context, account, target_url=f"{URL}/{number}")

    with pytest.raises(RateLimitedError):
        asked(context, account, target_url=f"{URL}/more")

    assert len(caller.requests) == 10
    with context.store.read() as tx:
        assert tx.count_subscriptions(account.id) == 10
