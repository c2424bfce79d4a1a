"""For receivers: is this request really from Relais, unchanged and recent?

Standard Webhooks 1.0: signatures with a shared secret (``v1``) or a key pair (``v1a``). The
first need only the standard library, the second `cryptography` as well.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

TOLERANCE_S = 300
_PREFIX = "whsec_"
_PUBLIC_PREFIX = "whpk_"
# Standard Webhooks: a secret has 24 to 64 bytes. Most texts that are no secret have fewer.
_MIN_KEY_BYTES = 24
_MAX_KEY_BYTES = 64
_MAX_TIMESTAMP_DIGITS = 12
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Headers(Protocol):
    """A request's headers, as a dict or as the web frameworks have them."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values; names in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    """How signatures of one version are checked: ``is_signed(content, signature)``."""

    version: str
    is_signed: Callable[[bytes, bytes], bool]


class VerificationError(Exception):
    """The request is not to be trusted: answer 401 and do nothing else."""


def verify(
    secret: str,
    headers: Headers,
    body: bytes,
    *,
    now: datetime | None = None,
    tolerance_s: float = TOLERANCE_S,
) -> None:
    """Return if the request was signed with ``secret`` not long ago, else raise.

    A request may carry several signatures (while a secret is being replaced): one that
    fits is enough.

    Args:
        secret: The subscription's secret, ``whsec_…``, or its public key, ``whpk_…``, where
            it is signed with ``ed25519``.
        headers: The request's headers.
        body: The raw bytes of the body, before any parsing.
        now: An aware datetime instead of the clock.
        tolerance_s: How many seconds the signature's time may be from now, either way.

    Raises:
        VerificationError: Missing, malformed, too old or too new, or no signature fits.
        ValueError: ``secret`` cannot be read as a signing secret, or ``now`` is naive.
    """
    scheme = _public_key(secret) if secret.startswith(_PUBLIC_PREFIX) else _shared(secret)
    message_id, timestamp, signatures = _signing_headers(headers)
    _check_time(timestamp, now, tolerance_s)
    content = f"{message_id}.{timestamp}.".encode() + body
    # Every candidate is compared, so that the time taken tells nothing.
    fits = [scheme.is_signed(content, one) for one in _candidates(signatures, scheme)]
    if not any(fits):
        raise VerificationError("no signature fits")


def _shared(secret: str) -> _Scheme:
    key = _decode_padded(secret.removeprefix(_PREFIX))
    if key is None or not _MIN_KEY_BYTES <= len(key) <= _MAX_KEY_BYTES:
        raise ValueError("secret: not a signing secret (whsec_ and Base64 of 24 to 64 bytes)")

    def is_signed(content: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(key, content, "sha256"), signature)

    return _Scheme(version="v1", is_signed=is_signed)


def _public_key(text: str) -> _Scheme:
    # Only who has such a key needs the library.
    from relais_client import ed25519  # noqa: PLC0415  # see above

    key = _decode_padded(text.removeprefix(_PUBLIC_PREFIX))
    if key is None or len(key) != ed25519.KEY_BYTES:
        raise ValueError("secret: not a public key (whpk_ and Base64 of 32 bytes)")
    return _Scheme(version="v1a", is_signed=ed25519.verifier(key))


def _signing_headers(headers: Headers) -> tuple[str, str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() in found:
            raise VerificationError(f"{name.lower()}: more than once")
        if name.lower() in _HEADERS:
            found[name.lower()] = value
    for name in _HEADERS:
        if not found.get(name):
            raise VerificationError(f"{name}: missing")
    message_id, timestamp, signatures = (found[name] for name in _HEADERS)
    # Dots separate what is signed: with one in the id, its parts could be shifted.
    if "." in message_id:
        raise VerificationError("webhook-id: malformed")
    return message_id, timestamp, signatures


def _check_time(timestamp: str, now: datetime | None, tolerance_s: float) -> None:
    is_number = timestamp.isascii() and timestamp.isdigit()
    if not is_number or len(timestamp) > _MAX_TIMESTAMP_DIGITS:
        raise VerificationError("webhook-timestamp: not a number of seconds")
    age_s = _now_s(now) - int(timestamp)
    if age_s > tolerance_s:
        raise VerificationError("webhook-timestamp: too old")
    if age_s < -tolerance_s:
        raise VerificationError("webhook-timestamp: too new; check this machine's clock")


def _now_s(now: datetime | None) -> float:
    if now is None:
        return datetime.now(UTC).timestamp()  # noqa: TID251 - a receiver has no Clock port
    if now.utcoffset() is None:
        raise ValueError("now: use an aware datetime")
    return now.timestamp()


def _candidates(signatures: str, scheme: _Scheme) -> Iterator[bytes]:
    """Yield the signatures of the scheme's version, as bytes; a shortened one fits nothing."""
    for entry in signatures.split(" "):
        version, _, encoded = entry.partition(",")
        signature = _decode(encoded)
        if version == scheme.version and signature is not None:
            yield signature


def _decode_padded(encoded: str) -> bytes | None:
    return _decode(encoded + "=" * (-len(encoded) % 4))


def _decode(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
