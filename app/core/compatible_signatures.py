"""Signature headers of other schemes, for receivers that were written for those.

All three are HMAC-SHA256 over the body alone, keyed with the UTF-8 bytes of the secret's
whole text (``whsec_…`` included): the text is what people paste into such a receiver. They
prove nothing about the time, so an old request can be sent again by whoever recorded it.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum


class CompatibleSignature(StrEnum):
    """A header that a subscription may ask for beside the standard ones."""

    X_HOOK_SIGNATURE = "x-hook-signature"  # REST Hooks: hexadecimal
    X_FRAPPE_WEBHOOK_SIGNATURE = "x-frappe-webhook-signature"  # Frappe: Base64
    X_HUB_SIGNATURE_256 = "x-hub-signature-256"  # GitHub, WebSub: sha256= and hexadecimal


_WRITTEN: Mapping[CompatibleSignature, Callable[[bytes], str]] = {
    CompatibleSignature.X_HOOK_SIGNATURE: bytes.hex,
    CompatibleSignature.X_FRAPPE_WEBHOOK_SIGNATURE: lambda digest: b64encode(digest).decode(),
    CompatibleSignature.X_HUB_SIGNATURE_256: lambda digest: f"sha256={digest.hex()}",
}


def compatible_headers(
    schemes: Iterable[CompatibleSignature], *, secret: str, body: bytes
) -> tuple[tuple[str, str], ...]:
    """Return a header for each of the schemes, over the very bytes that are sent."""
    digest = hmac.digest(secret.encode(), body, "sha256")
    return tuple((scheme.value, _WRITTEN[scheme](digest)) for scheme in schemes)
