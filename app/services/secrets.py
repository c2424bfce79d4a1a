"""Signing secrets: made, replaced with an overlap, and withdrawn when a target moves."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.core import clock, signing_secrets
from app.core.errors import ConflictError, InvalidRequestError
from app.core.ids import AccountId
from app.core.signing_secrets import OldSecret, SignatureScheme
from app.core.subscriptions import Subscription
from app.services.context import Context
from app.services.subscriptions import require_subscription, save_changed
from app.services.wishes import compatibility_problem

DEFAULT_OVERLAP: Final = timedelta(days=1)
MAX_OVERLAP: Final = timedelta(days=7)
# Each of them is one more signature in every request.
MAX_OLD_SECRETS: Final = 3
_SECRET_BYTES: Final = 32


def new_secret(context: Context, scheme: SignatureScheme = SignatureScheme.HMAC_SHA256) -> str:
    """Return a new random secret for the scheme."""
    return signing_secrets.new_secret(context.dice.token(_SECRET_BYTES), scheme)


def rotate_secret(
    context: Context,
    account_id: AccountId,
    subscription_id: str,
    *,
    overlap: timedelta = DEFAULT_OVERLAP,
    scheme: SignatureScheme | None = None,
) -> Subscription:
    """Give the subscription a new signing secret, of the same scheme unless one is named.

    The secret so far goes on signing beside the new one for ``overlap``, at most
    `MAX_OVERLAP`. Without an overlap it is void at once, and so is every older one: that
    is for a secret that somebody else may know.

    Raises:
        NotFoundError: There is no such subscription.
        InvalidRequestError: The scheme cannot serve the subscription's compatible headers.
        ConflictError: As many old secrets as may be still sign; the message says until when.
    """
    with context.store.write() as tx:
        before = require_subscription(tx, account_id, subscription_id)
        scheme = scheme or signing_secrets.scheme_of(before.secret)
        _require_fitting(before, scheme)
        old_secrets = _old_secrets(before, context.clock.now(), overlap)
        secret = new_secret(context, scheme)
        return save_changed(context, tx, replace(before, secret=secret, old_secrets=old_secrets))


def withdrawn(context: Context, before: Subscription) -> Subscription:
    """Return the subscription with a new secret only: whoever listens now learns no old one."""
    scheme = signing_secrets.scheme_of(before.secret)
    return replace(before, secret=new_secret(context, scheme), old_secrets=())


def _require_fitting(subscription: Subscription, scheme: SignatureScheme) -> None:
    problem = compatibility_problem(scheme, field="signature")
    if subscription.compatible_signatures and problem is not None:
        raise InvalidRequestError(problem.message, problems=(problem,))


def _old_secrets(before: Subscription, now: datetime, overlap: timedelta) -> tuple[OldSecret, ...]:
    if not overlap:
        return ()
    signing = tuple(old for old in before.old_secrets if old.signs_until > now)
    if len(signing) >= MAX_OLD_SECRETS:
        first_end = clock.to_text(min(old.signs_until for old in signing))
        raise ConflictError(
            f"{MAX_OLD_SECRETS} old secrets still sign. Rotate again after {first_end}, when "
            "the first of them stops, or with overlap_seconds 0, which voids all of them."
        )
    return (OldSecret(secret=before.secret, signs_until=now + overlap), *signing)
