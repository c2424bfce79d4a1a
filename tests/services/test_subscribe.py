"""Subscribing, again and differently; and what becomes of secrets."""

from dataclasses import replace

import pytest

from app.core.errors import (
    ConflictError,
    InvalidRequestError,
    LimitReachedError,
    TriggerUnavailableError,
)
from app.core.subscriptions import SubscriptionState
from app.services.accounts import AccountChange, change_account
from app.services.resources import delete_resource
from app.services.subscribe import (
    Change,
    change_subscription,
    pause,
    subscribe,
    unsubscribe,
)
from app.services.subscriptions import find_subscription
from app.services.wishes import Wish, check_wish, fingerprint_of
from tests.contexts import a_context, some_rules
from tests.services.steps import subscribed, with_account

URL = "https://hooks.example.com/1"


@pytest.fixture
def account(context):
    return with_account(context)


def wish(**changes):
    return Wish(**{"triggers": ("changed_appointment",), "target_url": URL} | changes)


def test_an_identical_wish_finds_the_subscription_that_is_there(context, account):
    first = subscribe(context, account.id, wish(resource_ids=("51423",)))
    second = subscribe(context, account.id, wish(resource_ids=("51423", "51423")))

    assert (first.is_new, second.is_new) == (True, False)
    assert first.subscription.id == second.subscription.id


@pytest.mark.parametrize(
    "other",
    [
        {"target_url": "https://hooks.example.com/2"},
        {"triggers": ("new_appointment",)},
        {"resource_ids": ("51423",)},
        {"filters": {"event": "destroy"}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_any_difference_is_another_subscription(context, account, other):
    subscribe(context, account.id, wish())

    assert subscribe(context, account.id, wish(**other)).is_new


def test_an_ended_subscription_is_not_found_again(context, account):
    first = subscribe(context, account.id, wish()).subscription
    unsubscribe(context, account.id, first.id)

    assert subscribe(context, account.id, wish()).is_new


def test_subscribing_again_reinstates_what_the_service_suspended(context, account):
    suspended = _in_state(context, account, SubscriptionState.SUSPENDED)

    again = subscribe(context, account.id, wish())

    assert (again.subscription.id, again.is_new) == (suspended.id, False)
    assert again.subscription.state is SubscriptionState.ACTIVE


def test_subscribing_again_leaves_what_a_person_paused(context, account):
    first = subscribe(context, account.id, wish()).subscription
    pause(context, account.id, first.id)

    assert subscribe(context, account.id, wish()).subscription.state is SubscriptionState.PAUSED


def test_another_host_gets_another_secret_and_another_path_keeps_it(context, account):
    first = subscribed(context, account.id, "changed_appointment", url=URL)

    moved = change_subscription(context, account.id, first.id, Change(target_url=URL + "/x"))
    away = change_subscription(
        context, account.id, first.id, Change(target_url="https://other.example.com/1")
    )

    assert moved.secret == first.secret
    assert away.secret != first.secret


def test_a_change_cannot_make_two_subscriptions_identical(context, account):
    subscribed(context, account.id, "changed_appointment", url=URL)
    other = subscribed(context, account.id, "new_appointment", url=URL)

    with pytest.raises(ConflictError):
        change_subscription(
            context, account.id, other.id, Change(triggers=("changed_appointment",))
        )


ZAPIER, MAKE = "https://hooks.zapier.com/hooks/1", "https://hook.eu1.make.com/1"
OWN = "https://n8n.example.com/1"


@pytest.mark.parametrize(
    ("before", "new_url", "becomes"),
    [
        ((OWN, "n8n"), "https://n8n.example.org/2", "n8n"),  # given, and nothing else is told
        ((OWN, "n8n"), ZAPIER, "zapier"),
        ((OWN, None), ZAPIER, "zapier"),
        ((ZAPIER, None), MAKE, "make"),
        ((ZAPIER, None), OWN, "generic"),  # told by the URL, and gone with it
        ((ZAPIER, "n8n"), OWN, "n8n"),
        ((ZAPIER, "generic"), f"{ZAPIER}/2", "generic"),
    ],
)
def test_a_platform_that_was_given_moves_along_unless_the_new_url_tells_another(
    context, account, before, new_url, becomes
):
    url, platform = before
    made = subscribed(context, account.id, "new_appointment", url=url, platform=platform)

    moved = change_subscription(context, account.id, made.id, Change(target_url=new_url))

    assert moved.platform == becomes


def test_a_new_name_is_possible_when_a_resource_is_gone(context, account):
    first = subscribed(context, account.id, "changed_appointment", resource_ids=("51423",))
    delete_resource(context, account.id, "schedule", "51423")

    change_subscription(context, account.id, first.id, Change(name="Yoga"))

    assert find_subscription(context, account.id, first.id).name == "Yoga"


def problems(context, account, asked):
    with pytest.raises(InvalidRequestError) as refused:
        subscribe(context, account.id, asked)
    return [(one.field, one.code) for one in refused.value.problems]


def test_every_problem_is_named_at_once(context, account):
    asked = wish(
        triggers=("changed_appointment", "nope"),
        target_url="http://10.0.0.1/",
        resource_ids=("999",),
        filters={"surprise": 1},
        platform="myspace",
    )

    assert problems(context, account, asked) == [
        ("trigger", "unknown_trigger"),
        ("target_url", "scheme"),
        ("resource_ids", "unknown_resource"),
        ("filters.surprise", "unknown_field"),
        ("platform", "unknown_platform"),
    ]


def test_documents_need_a_document_type_that_suits_the_trigger(context, account):
    assert problems(context, account, wish(triggers=("on_submit",))) == [
        ("resource_ids", "required")
    ]
    assert problems(
        context, account, wish(triggers=("on_submit",), resource_ids=("Customer",))
    ) == [("resource_ids", "resource_unsuitable")]


def test_a_trigger_without_resources_cannot_be_restricted(context, account):
    asked = wish(triggers=("new_user",), resource_ids=("51423",))

    assert problems(context, account, asked) == [("resource_ids", "not_restrictable")]


def test_an_unavailable_trigger_says_why_in_the_accounts_language(context, account):
    change = AccountChange(language="fr", features={"login_required": False})
    change_account(context, account.id, change)

    with pytest.raises(TriggerUnavailableError) as refused:
        subscribe(context, account.id, wish(triggers=("new_user",)))

    reason = context.registry.trigger("new_user").requires[0].reason
    assert refused.value.message == reason.fr


def test_an_account_has_as_many_subscriptions_as_it_may():
    context = a_context(rules=some_rules(max_subscriptions_per_account=1))
    account = with_account(context)
    subscribe(context, account.id, wish())

    assert not subscribe(context, account.id, wish()).is_new
    with pytest.raises(LimitReachedError):
        subscribe(context, account.id, wish(target_url="https://hooks.example.com/2"))
    context.store.close()


def _in_state(context, account, state):
    first = subscribe(context, account.id, wish()).subscription
    with context.store.write() as tx:
        checked = check_wish(context, tx, account, wish())
        tx.save_subscription(replace(first, state=state), fingerprint=fingerprint_of(checked))
    return first
