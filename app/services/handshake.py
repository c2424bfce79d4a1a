"""The handshake: a target says itself that it wants a subscription, before anything is sent.

Opt-in, as in REST Hooks. The target gets one POST with ``X-Hook-Secret``; it either
repeats that header in its 2xx answer, or somebody who was told the secret confirms within
ten minutes. Until then the subscription is pending and fires nothing. The secret works
once, and only its digest is kept.
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.core.deliveries import Outcome
from app.core.errors import ConflictError, FieldProblem, InvalidRequestError
from app.core.ids import AccountId
from app.core.ports import Tx
from app.core.sending import HttpRequest
from app.core.subscriptions import Confirmation, StateReason, Subscription, SubscriptionState
from app.services.context import Context
from app.services.subscriptions import require_subscription, save_changed

HEADER: Final = "X-Hook-Secret"
CONFIRM_WITHIN: Final = timedelta(minutes=10)
_SECRET_BYTES: Final = 32
_TIMEOUT_S: Final = 10.0
_MAX_EXPIRED: Final = 500


def new_hook_secret(context: Context) -> str:
    """Return a new secret for one handshake; it signs nothing."""
    return base64.urlsafe_b64encode(context.dice.token(_SECRET_BYTES)).decode().rstrip("=")


def awaiting(context: Context, subscription: Subscription, hook_secret: str) -> Subscription:
    """Return the subscription as it waits for its target to repeat the secret."""
    until = context.clock.now() + CONFIRM_WITHIN
    return replace(
        subscription,
        state=SubscriptionState.PENDING,
        state_reason=StateReason.AWAITS_CONFIRMATION,
        confirmation=Confirmation(digest=_digest(hook_secret), until=until),
    )


def shake_hands(context: Context, subscription: Subscription, hook_secret: str) -> Subscription:
    """Ask the target of a stored, pending subscription; return it as it stands then.

    No transaction may be open: this waits for the network.
    """
    outcome = context.caller.exchange(_request(context, subscription, hook_secret))
    if not _is_echo(outcome, hook_secret):
        return subscription
    with context.store.write() as tx:
        now_stored = tx.subscription(subscription.id)
        if now_stored is None or now_stored.confirmation != subscription.confirmation:
            return now_stored or subscription  # confirmed, asked anew or ended meanwhile
        return _confirmed(context, tx, now_stored)


def confirm(
    context: Context, account_id: AccountId, subscription_id: str, hook_secret: str
) -> Subscription:
    """Confirm a pending subscription with the secret that its target was sent.

    Raises:
        NotFoundError: There is no such subscription.
        ConflictError: It waits for no confirmation, or no longer.
        InvalidRequestError: Another secret.
    """
    with context.store.write() as tx:
        found = require_subscription(tx, account_id, subscription_id)
        awaited = found.confirmation
        if found.state is not SubscriptionState.PENDING or awaited is None:
            raise ConflictError("This subscription waits for no confirmation.")
        if awaited.until <= context.clock.now():
            raise ConflictError("It is too late to confirm this subscription; subscribe again.")
        if not hmac.compare_digest(awaited.digest, _digest(hook_secret)):
            raise _wrong_secret()
        return _confirmed(context, tx, found)


def expire_unconfirmed(context: Context) -> int:
    """End pending subscriptions that nobody confirmed in time; return how many.

    One call ends a bounded number; call again while it ends some.
    """
    now = context.clock.now()
    with context.store.write() as tx:
        expired = tx.unconfirmed_subscriptions(before=now, limit=_MAX_EXPIRED)
        for subscription_id in expired:
            tx.end_subscription(subscription_id, reason=StateReason.NOT_CONFIRMED, now=now)
    return len(expired)


def _confirmed(context: Context, tx: Tx, pending: Subscription) -> Subscription:
    active = replace(
        pending,
        state=SubscriptionState.ACTIVE,
        state_reason=None,
        confirmation=None,
        confirmed_at=context.clock.now(),
    )
    return save_changed(context, tx, active)


def _request(context: Context, subscription: Subscription, hook_secret: str) -> HttpRequest:
    return HttpRequest(
        token=subscription.id,
        method="POST",
        target_url=subscription.target_url,
        headers=(
            ("User-Agent", context.rules.user_agent),
            (HEADER, hook_secret),
            # Whoever confirms later has to know which subscription.
            ("X-Hook-Subscription", subscription.id),
        ),
        body=b"",
        total_timeout_s=_TIMEOUT_S,
    )


def _is_echo(outcome: Outcome, hook_secret: str) -> bool:
    said = [value for name, value in outcome.response_headers if name.lower() == HEADER.lower()]
    return (
        outcome.is_success
        and len(said) == 1
        and hmac.compare_digest(said[0].encode(), hook_secret.encode())
    )


def _digest(hook_secret: str) -> str:
    return hashlib.sha256(hook_secret.encode()).hexdigest()


def _wrong_secret() -> InvalidRequestError:
    message = "This is not the secret that the target was sent."
    problem = FieldProblem(field="secret", code="wrong_secret", message=message)
    return InvalidRequestError(message, problems=(problem,))
