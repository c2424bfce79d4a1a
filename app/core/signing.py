"""Signatures of Standard Webhooks 1.0 over the exact bytes: v1 (HMAC-SHA256), v1a (Ed25519).

Signed is ``<id>.<timestamp>.<body>``. A receiver finds several signatures, separated by
spaces, while a secret is being rotated; it accepts any one that it can verify.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from app.core import ed25519
from app.core.compatible_signatures import compatible_headers
from app.core.signing_secrets import SignatureScheme, key_of, scheme_of
from app.core.subscriptions import Subscription

# Attempts sign with the same few thousand secrets again and again.
_REMEMBERED_SIGNERS: Final = 4_096


def request_headers(
    subscription: Subscription, *, message_id: str, body: bytes, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Return every signature header of one attempt, made at ``now``.

    The subscription's secret signs first, then the old ones whose time is not over.
    Headers of other schemes have room for one signature: the newest secret's.

    See `sign` for the other arguments and the errors.
    """
    timestamp = int(now.timestamp())
    secrets = [subscription.secret]
    if subscription.old_secrets:
        secrets += [old.secret for old in subscription.old_secrets if old.signs_until > now]
    signed = headers(secrets, message_id=message_id, timestamp=timestamp, body=body)
    if not subscription.compatible_signatures:
        return signed
    return signed + compatible_headers(
        subscription.compatible_signatures, secret=subscription.secret, body=body
    )


def headers(
    secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes
) -> tuple[tuple[str, str], ...]:
    """Return the three headers of the standard; the newest secret signs first.

    See `sign` for the arguments and errors.
    """
    content = _signed_content(message_id, timestamp, body)
    return (
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join([_signer(secret)(content) for secret in secrets])),
    )


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature: ``v1,…``, or ``v1a,…`` where the secret is a private key.

    Args:
        secret: As `app.core.signing_secrets.new_secret` makes it.
        message_id: The delivery's id: the same on each attempt, without a dot.
        timestamp: The attempt's Unix time in seconds.
        body: The very bytes that are sent.

    Raises:
        ValueError: The secret is not one, or the id has a dot: with dots, two messages
            could have the same signed text.
    """
    return _signer(secret)(_signed_content(message_id, timestamp, body))


def _signed_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    if "." in message_id:
        raise ValueError("a message id has no dot")
    return b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)


@lru_cache(maxsize=_REMEMBERED_SIGNERS)
def _signer(secret: str) -> Callable[[bytes], str]:
    """Return what signs with the secret, read once."""
    key = key_of(secret)
    if scheme_of(secret) is SignatureScheme.ED25519:
        return lambda content: "v1a," + b64encode(ed25519.sign(key, content)).decode("ascii")
    return lambda content: "v1," + b64encode(hmac.digest(key, content, "sha256")).decode("ascii")
