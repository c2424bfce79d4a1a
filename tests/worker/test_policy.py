"""What targets answer, and how a subscription's deliveries go then; over days, by the clock."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from app.core.deliveries import DeliveryState, OutcomeKind
from app.core.records import DeliveryQuery
from app.core.subscriptions import StateReason, SubscriptionState
from app.core.target_urls import UrlRules
from app.services.grace import end_after_grace
from app.services.subscribe import Change, change_subscription, pause, resume
from tests.builders import an_outcome
from tests.contexts import a_context, some_rules
from tests.worker.deployments import LOOPBACK, published, subscribed
from tests.worker.stepping import OK, Stepper, Switch, refused

URL = "http://127.0.0.1:8080/1"
OTHER = "http://127.0.0.1:8080/2"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def context():
    made = a_context(rules=some_rules(urls=UrlRules(allowed_networks=LOOPBACK, allow_http=True)))
    yield made
    made.store.close()


def publish(context, count, first=0):
    for number in range(count):
        published(context, id=first + number)


def current(context, subscription):
    with context.store.read() as tx:
        return tx.subscription(subscription.id)


def states(context, subscription):
    query = DeliveryQuery(subscription_id=subscription.id)
    with context.store.read() as tx:
        page = tx.deliveries(subscription.account_id, query, limit=5000, cursor=None)
    return Counter(one.state for one in page.items)


def attempts_used(context, subscription):
    query = DeliveryQuery(subscription_id=subscription.id)
    with context.store.read() as tx:
        page = tx.deliveries(subscription.account_id, query, limit=5000, cursor=None)
    return {one.attempt_count for one in page.items}


# Retry-After


def test_retry_after_pauses_the_whole_subscription_and_nobody_else(context):
    target = Switch(refused(429, retry_after_seconds=60))
    slow = subscribed(context, URL)
    subscribed(context, OTHER)
    publish(context, 200)
    worker = Stepper(context, {URL: target, OTHER: OK})

    worker.step()
    first = len(worker.sent_to(URL))
    worker.run(timedelta(seconds=59))

    assert first <= 4  # what one claim took before anything was known
    assert len(worker.sent_to(URL)) == first
    assert len(worker.sent_to(OTHER)) == 200
    assert attempts_used(context, slow) == {0}

    target.answer = OK
    worker.run(5 * MINUTE)

    assert states(context, slow) == {DeliveryState.SUCCEEDED: 200}


def test_a_second_retry_after_never_shortens_the_first(context):
    answers = [refused(429, retry_after_seconds=600), refused(503, retry_after_seconds=1)]
    subscribed(context, URL)
    publish(context, 2)
    worker = Stepper(context, {URL: lambda *_: answers.pop(0) if answers else OK})
    start = context.clock.now()

    worker.run(HOUR)

    assert [one.at - start >= timedelta(seconds=600) for one in worker.sent[2:]] == [True, True]


# The breaker


def test_the_breaker_leaves_a_failing_target_alone_and_probes_it(context):
    target = Switch(refused(500))
    subscription = subscribed(context, URL)
    publish(context, 300)
    worker = Stepper(context, {URL: target})

    worker.run(10 * MINUTE)

    # 300 deliveries would have made 600 attempts by their own schedules.
    assert 10 <= len(worker.sent) <= 30
    opened = worker.sent[len(worker.sent) // 2].at
    probes = [one.at for one in worker.sent if one.at > opened]
    gaps = [after - before for before, after in pairwise(probes)]
    assert all(gap >= timedelta(seconds=30) for gap in gaps)

    target.answer = OK
    worker.run(20 * MINUTE)

    assert states(context, subscription) == {DeliveryState.SUCCEEDED: 300}


def test_while_the_breaker_is_open_a_new_event_waits_too(context):
    target = Switch(refused(500))
    subscribed(context, URL)
    publish(context, 20)
    worker = Stepper(context, {URL: target})
    worker.run(5 * SECOND)
    before = len(worker.sent)

    publish(context, 20, first=100)
    worker.run(10 * SECOND)

    assert len(worker.sent) == before


def test_our_own_faults_open_no_breaker_and_use_up_nothing(context):
    target = Switch(an_outcome(kind=OutcomeKind.DNS_FAILED, status_code=None))
    subscription = subscribed(context, URL)
    publish(context, 50)
    worker = Stepper(context, {URL: target})

    worker.run(10 * MINUTE)
    assert attempts_used(context, subscription) == {0}

    target.answer = OK
    worker.run(timedelta(seconds=31))
    assert states(context, subscription) == {DeliveryState.SUCCEEDED: 50}


# Suspension


def test_five_days_and_twenty_failures_suspend_and_a_person_resumes(context):
    target = Switch(refused(500))
    subscription = subscribed(context, URL)
    worker = Stepper(context, {URL: target})
    for day in range(6):
        publish(context, 5, first=100 * day)
        worker.run(DAY)

    suspended = current(context, subscription)
    assert (suspended.state, suspended.state_reason) == (
        SubscriptionState.SUSPENDED,
        StateReason.KEEPS_FAILING,
    )
    before = len(worker.sent)
    publish(context, 5, first=1000)
    worker.run(DAY)
    assert len(worker.sent) == before

    target.answer = OK
    resume(context, subscription.account_id, subscription.id)
    worker.run(HOUR)

    assert DeliveryState.PENDING not in states(context, subscription)
    assert current(context, subscription).state is SubscriptionState.ACTIVE


def test_one_bad_night_does_not_suspend(context):
    target = Switch(refused(500))
    subscription = subscribed(context, URL)
    worker = Stepper(context, {URL: target})

    for hour in range(12):
        publish(context, 20, first=100 * hour)
        worker.run(HOUR)

    assert current(context, subscription).state is SubscriptionState.ACTIVE


# Pause and resume by a person


def test_a_pause_outlives_what_the_target_answers_meanwhile(context):
    subscription = subscribed(context, URL)
    publish(context, 3)
    worker = Stepper(context, {URL: Switch(refused(429, retry_after_seconds=5))})
    worker.step()

    pause(context, subscription.account_id, subscription.id)
    worker.run(HOUR)

    assert len(worker.sent) == 3
    assert current(context, subscription).state is SubscriptionState.PAUSED


def test_another_target_starts_without_the_old_ones_record(context):
    subscription = subscribed(context, URL)
    publish(context, 50)
    worker = Stepper(context, {URL: refused(500), OTHER: OK})
    worker.run(MINUTE)

    moved = Change(target_url=OTHER)
    change_subscription(context, subscription.account_id, subscription.id, moved)
    worker.run(MINUTE)

    assert len(worker.sent_to(OTHER)) > 10


# Platforms


def test_a_zap_that_is_gone_gets_nothing_more(context):
    subscription = subscribed(context, URL, platform="zapier")
    publish(context, 100)
    worker = Stepper(context, {URL: refused(410)})

    worker.run(DAY)

    assert len(worker.sent) <= 4
    assert current(context, subscription).state is SubscriptionState.ENDED
    assert states(context, subscription) == {DeliveryState.CANCELLED: 100}


def test_a_make_scenario_that_is_off_is_held_probed_and_released_at_makes_pace(context):
    target = Switch(refused(410))
    subscription = subscribed(context, URL, platform="make")
    publish(context, 400)
    worker = Stepper(context, {URL: target})

    worker.run(2 * DAY)
    off = current(context, subscription)
    assert (off.state, off.state_reason) == (SubscriptionState.SUSPENDED, StateReason.TARGET_OFF)
    assert len(worker.sent) <= 4 + 49  # an hourly probe
    assert attempts_used(context, subscription) == {0}

    publish(context, 10, first=1000)
    target.answer = OK
    before = len(worker.sent)
    worker.run(2 * HOUR)

    assert states(context, subscription) == {DeliveryState.SUCCEEDED: 410}
    assert current(context, subscription).state is SubscriptionState.ACTIVE
    released = worker.sent[before + 1 :]
    per_ten_seconds = Counter(int(one.at.timestamp()) // 10 for one in released)
    assert max(per_ten_seconds.values()) <= 300


def test_held_events_are_released_in_their_order(context):
    target = Switch(refused(410))
    subscribed(context, URL, platform="make")
    worker = Stepper(context, {URL: target})
    for number in range(50):
        published(context, id=number)
        worker.run(SECOND)
    before = len(worker.sent)

    target.answer = OK
    worker.run(2 * HOUR)

    order = [one.delivery_id for one in worker.sent[before:]]
    assert order == sorted(order)
    assert len(order) == 50


def test_a_make_scenario_that_stays_off_ends_when_its_grace_is_over(context):
    subscription = subscribed(context, URL, platform="make")
    publish(context, 3)
    worker = Stepper(context, {URL: refused(410)})

    worker.run(6 * DAY)
    assert current(context, subscription).state is SubscriptionState.SUSPENDED

    worker.run(2 * DAY)
    assert current(context, subscription).state is SubscriptionState.ENDED


def test_a_make_scenario_that_stays_off_ends_also_where_nothing_waits_for_it(context):
    subscription = subscribed(context, URL, platform="make")
    publish(context, 1)
    worker = Stepper(context, {URL: refused(410)})
    worker.run(SECOND)
    end_of_all = context.clock.now() + 60 * DAY
    with context.store.write() as tx:
        assert tx.prune(before=end_of_all, limit=10) == 1  # held for too long
    assert end_after_grace(context) == ()

    context.clock.advance(8 * DAY)

    assert end_after_grace(context) == (subscription.id,)
    assert current(context, subscription).state is SubscriptionState.ENDED


def test_an_n8n_404_is_retried_for_a_day_then_held_and_never_ended(context):
    target = Switch(refused(404))
    subscription = subscribed(context, URL, platform="n8n")
    publish(context, 2)
    worker = Stepper(context, {URL: target})

    worker.run(12 * HOUR)
    assert current(context, subscription).state is SubscriptionState.ACTIVE

    worker.run(20 * DAY)
    assert current(context, subscription).state is SubscriptionState.SUSPENDED
    assert states(context, subscription) == {DeliveryState.PENDING: 2}

    target.answer = OK
    worker.run(HOUR)
    assert states(context, subscription) == {DeliveryState.SUCCEEDED: 2}


def test_a_power_automate_flow_that_is_off_is_held(context):
    off = refused(400, response_body=b'{"error":{"code":"WorkflowTriggerIsNotEnabled"}}')
    target = Switch(off)
    subscription = subscribed(context, URL, platform="power_automate")
    publish(context, 2)
    worker = Stepper(context, {URL: target})

    worker.run(HOUR / 2)
    assert current(context, subscription).state is SubscriptionState.SUSPENDED

    target.answer = OK
    worker.run(2 * HOUR)
    assert states(context, subscription) == {DeliveryState.SUCCEEDED: 2}


def test_a_bad_request_is_not_a_flow_that_is_off(context):
    subscription = subscribed(context, URL, platform="power_automate")
    publish(context, 1)
    worker = Stepper(context, {URL: refused(400, response_body=b"{}")})

    worker.run(SECOND)

    assert current(context, subscription).state is SubscriptionState.ACTIVE
    assert attempts_used(context, subscription) == {1}


# Recovery after an outage (security research, scenario 12)


def test_after_an_outage_a_backlog_is_sent_at_the_platforms_pace(context):
    target = Switch(refused(503))
    subscription = subscribed(context, URL, platform="zapier")
    publish(context, 600)
    worker = Stepper(context, {URL: target})
    worker.run(HOUR)

    target.answer = OK
    before = len(worker.sent)
    worker.run(3 * HOUR)

    assert states(context, subscription) == {DeliveryState.SUCCEEDED: 600}
    by_second = Counter(int(one.at.timestamp()) for one in worker.sent[before:])
    assert max(by_second.values()) <= 22  # 20 a second and a tenth


# Delays follow the schedule (scenario 11)


def test_no_attempt_comes_before_its_time(context):
    subscribed(context, URL)
    published(context, id=1)
    worker = Stepper(context, {URL: refused(500)})

    worker.run(2 * HOUR)

    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(worker.sent)]
    assert len(gaps) == 3
    for gap, (base, most) in zip(gaps, [(5, 7), (300, 330), (1800, 1980)], strict=True):
        assert base <= gap <= most + 1


# Two workers


def test_a_pace_holds_over_all_workers(context):
    subscribed(context, URL, platform="zapier")
    publish(context, 300)
    workers = [Stepper(context, {URL: OK}, name=f"w{number}") for number in range(3)]
    start = context.clock.now()

    while sum(len(one.sent) for one in workers) < 300:
        for one in workers:
            one.step()
        context.clock.advance(timedelta(milliseconds=10))

    took = (context.clock.now() - start).total_seconds()
    assert 300 / took <= 20 * 1.1 + 1
