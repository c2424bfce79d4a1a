"""What one answer to several deliveries leads to."""

from datetime import timedelta

import pytest

from app.core.batching import Batching
from app.core.deliveries import DeliveryState
from app.core.records import DeliveryQuery
from app.core.weighing import NoticeKind
from app.services import notices
from tests.services.sending import send_all
from tests.services.steps import published, subscribed, with_account

TWO = Batching(max_events=2, max_age_seconds=60)


@pytest.fixture
def account(context):
    return with_account(context)


def deliveries(context, account):
    with context.store.read() as tx:
        return tx.deliveries(account.id, DeliveryQuery(), limit=10, cursor=None).items


def test_all_members_have_the_one_outcome_and_the_one_next_attempt(context, account):
    subscribed(context, account.id, "changed_appointment", manner={"batching": TWO})
    published(context)
    context.clock.advance(timedelta(seconds=3))
    published(context)

    [request] = send_all(context, status_code=500)

    one, two = deliveries(context, account)
    assert request.body.startswith(b"[{")
    assert (one.state, one.attempt_count) == (DeliveryState.PENDING, 1)
    assert one.next_attempt_at == two.next_attempt_at


def test_the_policy_of_the_subscription_decides(context, account):
    manner = {"retry_policy": "once"}
    subscribed(context, account.id, "changed_appointment", manner=manner)
    published(context)

    send_all(context, status_code=500)

    assert [one.state for one in deliveries(context, account)] == [DeliveryState.FAILED]


def test_each_lost_message_of_a_batch_is_told(context, account, monkeypatch):
    told = []
    monkeypatch.setattr(notices, "notify", lambda *args, **_data: told.append(args[2]) or 0)
    manner = {"retry_policy": "once", "batching": TWO}
    subscribed(context, account.id, "email_sent", manner=manner)
    for _message in range(2):
        assert published(context, event_type="email.send").diverted

    send_all(context, status_code=500)

    assert told == [NoticeKind.DIVERTED_FAILED] * 2
