"""Ed25519 verification; apart from the rest, as it needs more than the standard library."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES = 32


def verifier(public_key: bytes) -> Callable[[bytes, bytes], bool]:
    """Return what says whether a message (first) bears the signature (second) of the key.

    Raises:
        ValueError: The key has another size than 32 bytes.
    """
    key = Ed25519PublicKey.from_public_bytes(public_key)

    def is_signed(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return is_signed
