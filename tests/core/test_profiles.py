"""Profiles: what an answer says about the subscriber, beyond this delivery."""

import pytest

from app.core.deliveries import OutcomeKind
from app.core.profiles import AnswerSign, Profile, Signal
from tests.builders import a_refusal, an_outcome

OFF_IN_WORDS = Profile(off=(AnswerSign(400, "IsNotEnabled"),))


def test_a_plain_webhook_is_gone_with_410_and_nothing_else():
    profile = Profile()

    assert profile.read(a_refusal(410)) is Signal.GONE
    assert {profile.read(a_refusal(status)) for status in (400, 401, 404, 429, 500)} == {
        Signal.NONE
    }


@pytest.mark.parametrize(
    ("body", "signal"),
    [
        (b'{"code":"TriggerIsNotEnabled"}', Signal.OFF),
        (b'{"code":"TRIGGERISNOTENABLED"}', Signal.OFF),
        (b'{"code":"InvalidBody"}', Signal.NONE),
        (b"\xff\xfe\x00", Signal.NONE),
        (b"", Signal.NONE),
    ],
)
def test_where_the_status_is_not_enough_the_body_decides(body, signal):
    assert OFF_IN_WORDS.read(a_refusal(400, response_body=body)) is signal
    assert OFF_IN_WORDS.read(a_refusal(500, response_body=body)) is Signal.NONE


def test_a_success_says_nothing_whatever_its_status():
    profile = Profile(gone=(AnswerSign(200),), off=(AnswerSign(200),))

    assert profile.read(an_outcome(status_code=200)) is Signal.NONE


def test_who_did_not_answer_says_nothing():
    outcome = an_outcome(kind=OutcomeKind.CONNECT_REFUSED, status_code=None)

    assert Profile().read(outcome) is Signal.NONE
    assert not Profile().asks_to_wait(outcome)


def test_gone_outweighs_off():
    profile = Profile(gone=(AnswerSign(410),), off=(AnswerSign(410),))

    assert profile.read(a_refusal(410)) is Signal.GONE


@pytest.mark.parametrize(
    ("status", "retry_after", "waits"),
    [(429, None, True), (429, 60, True), (503, 60, True), (503, None, False), (500, 0, True)],
)
def test_a_refusal_with_a_time_or_a_throttle_asks_to_wait(status, retry_after, waits):
    refusal = a_refusal(status, retry_after_seconds=retry_after)

    assert Profile().asks_to_wait(refusal) is waits


def test_a_success_never_asks_to_wait():
    assert not Profile().asks_to_wait(an_outcome(retry_after_seconds=60))
