"""Which platforms are told, and of what, that a subscription is no more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.services.accounts import AccountChange, change_account
from app.services.farewells import say_farewell
from app.services.subscribe import unsubscribe
from tests.services.sending import send_all
from tests.services.steps import published, subscribed, with_account

ZAPIER = "https://hooks.zapier.com/hooks/standard/1/2/"
OTHER = "https://hooks.example.com/1"


@pytest.fixture
def account(context):
    return with_account(context)


def said(context):
    return [(one.method, one.target_url, one.body) for one in context.caller.requests]


def test_zapier_is_told_of_what_the_vendor_ended(context, account):
    zap = subscribed(context, account.id, "changed_appointment", url=ZAPIER)

    unsubscribe(context, account.id, zap.id, tell_platform=True)
    unsubscribe(context, account.id, zap.id, tell_platform=True)

    assert said(context) == [("DELETE", ZAPIER, b"")]


def test_nobody_is_told_what_they_asked_for(context, account):
    zap = subscribed(context, account.id, "changed_appointment", url=ZAPIER)

    unsubscribe(context, account.id, zap.id)

    assert said(context) == []


def test_who_does_not_understand_it_is_not_told(context, account):
    plain = subscribed(context, account.id, "changed_appointment", url=OTHER)

    unsubscribe(context, account.id, plain.id, tell_platform=True)

    assert said(context) == []


def test_an_account_that_is_switched_off_tells_its_zaps_once(context, account):
    for number in range(3):
        subscribed(context, account.id, "changed_appointment", url=f"{ZAPIER}{number}/")
    subscribed(context, account.id, "changed_appointment", url=OTHER)

    for enabled in (False, False, True):
        change_account(context, account.id, AccountChange(enabled=enabled))

    assert sorted(url for _, url, _ in said(context)) == [f"{ZAPIER}{n}/" for n in range(3)]


def test_zapier_is_told_when_its_zap_is_suspended_for_failing(context, account):
    subscribed(context, account.id, "changed_appointment", url=ZAPIER)
    for number in range(25):
        published(context, data={"id": number})

    for _hour in range(24 * 7):
        send_all(context, status_code=500)
        context.clock.advance(timedelta(hours=1))
        published(context, data={"id": 1})

    assert said(context) == [("DELETE", ZAPIER, b"")]


def test_zapier_is_not_told_what_it_said_itself(context, account):
    subscribed(context, account.id, "changed_appointment", url=ZAPIER)
    published(context)

    send_all(context, status_code=410)

    assert said(context) == []


def test_a_farewell_is_an_errand(context, account):
    zap = subscribed(context, account.id, "changed_appointment", url=ZAPIER)
    waiting = []

    class Later:
        def run(self, errand):
            waiting.append(errand)

    say_farewell(replace(context, errands=Later()), zap)

    assert (said(context), len(waiting)) == ([], 1)
