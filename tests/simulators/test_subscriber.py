"""Simulated subscribers: what each platform answers, and how scripts are followed."""

import threading
from datetime import timedelta

import pytest
import requests

from app.core.deliveries import Outcome, OutcomeKind
from app.core.profiles import Signal
from app.core.retry_after import parse_retry_after
from app.platforms import PLATFORMS, find_platform
from app.simulators import ScriptError, State, Subscriber
from app.simulators.answers import SIMULATED
from tests.builders import NOW

EVERY_PLATFORM = pytest.mark.parametrize("platform", SIMULATED)


def post(subscriber, body=b"{}", **kwargs):
    return requests.post(subscriber.url, data=body, timeout=10, **kwargs)


def as_outcome(answer):
    kind = OutcomeKind.SUCCEEDED if answer.ok else OutcomeKind.HTTP_STATUS
    asked = answer.headers.get("Retry-After")
    return Outcome(
        kind=kind,
        duration_ms=1,
        status_code=answer.status_code,
        response_body=answer.content,
        retry_after_seconds=None if asked is None else parse_retry_after(asked, now=NOW),
    )


def answers_in(platform, state):
    with Subscriber(platform, state, slow_s=0.0) as subscriber:
        return as_outcome(post(subscriber))


def test_every_platform_that_is_known_is_simulated():
    assert set(SIMULATED) == {platform.key for platform in PLATFORMS}


@EVERY_PLATFORM
@pytest.mark.parametrize("state", [State.ON, State.SLOW])
def test_who_is_on_takes_what_comes(platform, state):
    assert answers_in(platform, state).is_success


@pytest.mark.parametrize(
    ("platform", "off", "deleted"),
    [
        ("generic", Signal.NONE, Signal.GONE),
        ("zapier", Signal.GONE, Signal.GONE),
        ("make", Signal.OFF, Signal.OFF),
        ("n8n", Signal.OFF, Signal.OFF),
        ("power_automate", Signal.OFF, Signal.OFF),
        ("workato", Signal.NONE, Signal.NONE),
    ],
)
def test_what_is_off_or_deleted_is_read_by_its_profile(platform, off, deleted):
    profile = find_platform(platform).profile

    assert profile.read(answers_in(platform, State.OFF)) is off
    assert profile.read(answers_in(platform, State.DELETED)) is deleted


@EVERY_PLATFORM
def test_a_throttle_asks_to_wait_with_and_without_a_time(platform):
    profile = find_platform(platform).profile
    with Subscriber(platform, "429,429-bare", retry_after_s=7) as subscriber:
        told, silent = as_outcome(post(subscriber)), as_outcome(post(subscriber))

    assert (told.status_code, told.retry_after_seconds) == (429, 7)
    assert (silent.status_code, silent.retry_after_seconds) == (429, None)
    assert profile.asks_to_wait(told)
    assert profile.asks_to_wait(silent)


@EVERY_PLATFORM
def test_an_error_is_a_failure_and_nothing_more(platform):
    profile, outcome = find_platform(platform).profile, answers_in(platform, State.ERROR)

    assert outcome.status_code == 500
    assert profile.read(outcome) is Signal.NONE
    assert not profile.asks_to_wait(outcome)


def test_a_script_is_followed_and_its_last_state_lasts():
    with Subscriber("make", "on:2,off,on") as subscriber:
        statuses = [post(subscriber).status_code for _ in range(6)]

        assert statuses == [200, 200, 410, 200, 200, 200]
        assert [arrival.status for arrival in subscriber.arrivals] == statuses


def test_a_subscriber_can_be_switched_meanwhile():
    with Subscriber("n8n", "off") as subscriber:
        before = post(subscriber).status_code
        subscriber.switch("on")

        assert (before, post(subscriber).status_code) == (404, 200)
        assert subscriber.state is State.ON


@pytest.mark.parametrize("script", ["", "open", "on,", "on:0", "on:x", "on:", "on:-1", "on:²"])
def test_a_script_that_cannot_be_read_is_refused_and_changes_nothing(script):
    with pytest.raises(ScriptError):
        Subscriber("make", script)

    with Subscriber("make", "off") as subscriber:
        with pytest.raises(ScriptError):
            subscriber.switch(script)
        assert subscriber.state is State.OFF


def test_a_platform_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="'ifttt' is not simulated"):
        Subscriber("ifttt")


def test_zapier_understands_that_its_subscription_was_ended():
    with Subscriber("zapier") as subscriber:
        ended = requests.delete(subscriber.url, timeout=10)

        assert ended.status_code == 200
        assert post(subscriber).status_code == 410


def test_for_others_delete_is_a_method_like_any_other():
    with Subscriber("generic", "on") as subscriber:
        assert requests.delete(subscriber.url, timeout=10).status_code == 204
        assert post(subscriber).status_code == 204


def test_what_came_can_be_read():
    body = b'{"trigger": "changed_appointment", "event": "create"}'
    with Subscriber() as subscriber:
        post(subscriber, body, headers={"webhook-id": "dlv_1"})
        (arrival,) = subscriber.wait_for(1)

    assert (arrival.method, arrival.path, arrival.body) == ("POST", "/hook", body)
    assert arrival.headers["webhook-id"] == "dlv_1"
    assert (arrival.state, arrival.status) == (State.ON, 204)
    assert arrival.event == "changed_appointment create"


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (b'[{"event": "create"}, {"event": "edit"}]', "2 events"),
        (b'{"event": "create"}', "create"),
        (b"{}", "-"),
        (b'"text"', "-"),
        (b"a=b", "-"),
        (b"\xff", "-"),
        (b"", "-"),
    ],
)
def test_what_an_arrival_brought_is_told_as_far_as_it_can_be(body, event):
    with Subscriber() as subscriber:
        post(subscriber, body)
        (arrival,) = subscriber.wait_for(1)

    assert arrival.event == event


def test_who_waits_in_vain_is_told_how_many_came():
    with Subscriber() as subscriber:
        post(subscriber)

        with pytest.raises(TimeoutError, match="1 of 2"):
            subscriber.wait_for(2, timeout_s=0.01)


def test_a_slow_answer_takes_its_time():
    with Subscriber("zapier", "slow", slow_s=0.1) as subscriber:
        assert post(subscriber).elapsed > timedelta(seconds=0.1)


def test_stopping_waits_for_no_slow_answer_and_cuts_none_off():
    statuses = []
    with Subscriber("zapier", "slow", slow_s=600) as subscriber:
        caller = threading.Thread(target=lambda: statuses.append(post(subscriber).status_code))
        caller.start()
        subscriber.wait_for(1)
    caller.join()

    assert statuses == [200]


def test_an_idle_connection_does_not_keep_it_from_stopping():
    with requests.Session() as session, Subscriber() as subscriber:
        assert session.post(subscriber.url, data=b"{}", timeout=10).ok


def test_many_at_once_are_all_counted():
    with Subscriber("make", "on:25,off") as subscriber:
        callers = [threading.Thread(target=post, args=[subscriber]) for _ in range(50)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

        statuses = [arrival.status for arrival in subscriber.arrivals]
    assert statuses == [200] * 25 + [410] * 25
