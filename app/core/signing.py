"""Signatures of Standard Webhooks 1.0, version v1: HMAC-SHA256 over the exact bytes.

Signed is ``<id>.<timestamp>.<body>``. A receiver finds several signatures, separated by
spaces, while a secret is being rotated; it accepts any one that it can verify.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105  # a prefix that marks secrets, not one of them
MIN_SECRET_BYTES = 24
MAX_SECRET_BYTES = 64


def new_secret(random_bytes: bytes) -> str:
    """Return the secret, ``whsec_`` and base64, made of 24 to 64 random bytes.

    Raises:
        ValueError: Too few bytes, or too many.
    """
    if not MIN_SECRET_BYTES <= len(random_bytes) <= MAX_SECRET_BYTES:
        raise ValueError(f"a secret has {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes")
    return SECRET_PREFIX + b64encode(random_bytes).decode("ascii")


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one ``v1,…`` signature.

    Args:
        secret: As `new_secret` makes it.
        message_id: The delivery's id: the same on each attempt, without a dot.
        timestamp: The attempt's Unix time in seconds.
        body: The very bytes that are sent.

    Raises:
        ValueError: The secret is not one, or the id has a dot: with dots, two messages
            could have the same signed text.
    """
    if "." in message_id:
        raise ValueError("a message id has no dot")
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    digest = hmac.digest(_key(secret), signed, "sha256")
    return "v1," + b64encode(digest).decode("ascii")


def headers(
    secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes
) -> tuple[tuple[str, str], ...]:
    """Return the three signature headers; the newest secret signs first.

    See `sign` for the arguments and errors.
    """
    signatures = [
        sign(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets
    ]
    return (
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(signatures)),
    )


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a secret begins with {SECRET_PREFIX}")
    try:
        return b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a secret is base64 after its prefix") from None
