"""Signing secrets: what they look like, and which scheme each of them is for.

Texts as in Standard Webhooks 1.0, a prefix and Base64: ``whsec_`` is a secret that sender
and receiver share, ``whsk_`` a private key that never leaves the service, ``whpk_`` the
public key that verifies what it signs.
"""

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from app.core import ed25519

SHARED_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
MIN_SHARED_BYTES = 24
MAX_SHARED_BYTES = 64
# Answers show the same public keys again and again.
_REMEMBERED_KEYS = 4_096


class SignatureScheme(StrEnum):
    """How deliveries to a subscription are signed; its secret's prefix says which."""

    HMAC_SHA256 = "hmac-sha256"  # Standard Webhooks v1
    ED25519 = "ed25519"  # Standard Webhooks v1a


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSecret:
    """A secret that was replaced and still signs, beside its successor, for a while."""

    secret: str = field(repr=False)
    signs_until: datetime


def new_secret(random_bytes: bytes, scheme: SignatureScheme = SignatureScheme.HMAC_SHA256) -> str:
    """Return the secret made of random bytes: 24 to 64, or exactly 32 for Ed25519.

    Raises:
        ValueError: Too few bytes, or too many.
    """
    if scheme is SignatureScheme.ED25519:
        _require_seed(random_bytes)
        return _text(PRIVATE_PREFIX, random_bytes)
    if not MIN_SHARED_BYTES <= len(random_bytes) <= MAX_SHARED_BYTES:
        raise ValueError(f"a secret has {MIN_SHARED_BYTES} to {MAX_SHARED_BYTES} bytes")
    return _text(SHARED_PREFIX, random_bytes)


def scheme_of(secret: str) -> SignatureScheme:
    """Return what the secret is for."""
    is_private_key = secret.startswith(PRIVATE_PREFIX)
    return SignatureScheme.ED25519 if is_private_key else SignatureScheme.HMAC_SHA256


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret; raises ValueError, which never shows it, for another text."""
    is_private_key = scheme_of(secret) is SignatureScheme.ED25519
    prefix = PRIVATE_PREFIX if is_private_key else SHARED_PREFIX
    if not secret.startswith(prefix):
        raise ValueError(f"a secret begins with {SHARED_PREFIX} or {PRIVATE_PREFIX}")
    try:
        key = b64decode(secret.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise ValueError("a secret is base64 after its prefix") from None
    if is_private_key:
        _require_seed(key)
    return key


@lru_cache(maxsize=_REMEMBERED_KEYS)
def public_key_of(secret: str) -> str | None:
    """Return the ``whpk_…`` that verifies the secret's signatures; None for a shared secret.

    Raises:
        ValueError: The text is no secret.
    """
    if scheme_of(secret) is not SignatureScheme.ED25519:
        return None
    return _text(PUBLIC_PREFIX, ed25519.public_key(key_of(secret)))


def shared_secret_of(secret: str) -> str | None:
    """Return what the receiver has to know to verify; None where a public key does it."""
    return None if scheme_of(secret) is SignatureScheme.ED25519 else secret


def _require_seed(seed: bytes) -> None:
    if len(seed) != ed25519.SEED_BYTES:
        raise ValueError(f"a secret key of Ed25519 has {ed25519.SEED_BYTES} bytes")


def _text(prefix: str, key: bytes) -> str:
    return prefix + b64encode(key).decode("ascii")
