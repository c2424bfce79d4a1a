"""Test sends: what a subscription would be sent, sent once, now, and shown whole."""

from dataclasses import dataclass
from typing import Final

from app.core import jsontext, signing
from app.core.batching import array_of
from app.core.deliveries import Outcome, OutcomeKind
from app.core.errors import ConflictError
from app.core.ids import AccountId
from app.core.sending import HttpRequest
from app.core.subscriptions import Subscription, SubscriptionState
from app.services.context import Context
from app.services.deliver import CONNECT_TIMEOUT_S
from app.services.samples import SampleQuery, samples
from app.services.subscriptions import find_subscription

# Not a delivery: nothing can be looked up by it, nothing is tried again.
_ID_PREFIX: Final = "tst"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentTest:
    """What was sent to the target under ``id``, and what came of it."""

    id: str
    request: HttpRequest
    outcome: Outcome


def send_test(context: Context, account_id: AccountId, subscription_id: str) -> SentTest:
    """Send the newest sample of the subscription's first trigger, signed, to its target.

    The subscription's filter makes no difference, nor whether it is paused. Where its
    events go together, the sample goes in an array of one. Nothing is stored. Why an
    address is blocked is not said, nor how soon that was found out.

    Raises:
        NotFoundError: There is no such subscription, or its trigger is gone.
        ConflictError: Its target has not confirmed it.
        RateLimitedError: See `CallBudget`.
    """
    subscription = find_subscription(context, account_id, subscription_id)
    if subscription.state is SubscriptionState.PENDING:
        raise ConflictError("This subscription waits for its target to confirm it.")
    request = _request(context, subscription, _body(context, subscription))
    with context.call_budget.call(account_id, now=context.clock.now()):
        outcome = context.caller.exchange(request)
    return SentTest(id=request.token, request=request, outcome=_shown(outcome))


def _body(context: Context, subscription: Subscription) -> bytes:
    query = SampleQuery(limit=1, resource_ids=subscription.resource_ids)
    found = samples(context, subscription.account_id, subscription.triggers[0], query)
    body = jsontext.encode(found.payloads[0])
    return body if subscription.batching is None else array_of([body])


def _request(context: Context, subscription: Subscription, body: bytes) -> HttpRequest:
    message_id = context.dice.new_id(_ID_PREFIX)
    signed = signing.request_headers(
        subscription, message_id=message_id, body=body, now=context.clock.now()
    )
    total_s = context.rules.delivery_timeout.total_seconds()
    return HttpRequest(
        token=message_id,
        method="POST",
        target_url=subscription.target_url,
        headers=(
            ("Content-Type", "application/json"),
            ("User-Agent", context.rules.user_agent),
            *signed,
        ),
        body=body,
        total_timeout_s=total_s,
        connect_timeout_s=min(CONNECT_TIMEOUT_S, total_s / 3),
    )


def _shown(outcome: Outcome) -> Outcome:
    """Return what the account may see: one constant answer for every blocked address."""
    if outcome.kind is OutcomeKind.BLOCKED_ADDRESS:
        return Outcome(kind=outcome.kind, duration_ms=0)
    return outcome._replace(detail="")
