"""Ed25519 (RFC 8032): signatures that a public key verifies.

The one module of the centre that knows `cryptography`: the standard library has no such
signature, and this is arithmetic, without I/O, clock or randomness.
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES = 32
# Making the object costs more than half a signature.
_REMEMBERED_KEYS = 4_096


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the 64 bytes of the signature; raises ValueError unless the seed has 32 bytes."""
    return _private_key(seed).sign(message)


def public_key(seed: bytes) -> bytes:
    """Return the 32 bytes that verify; raises ValueError unless the seed has 32 bytes."""
    return _private_key(seed).public_key().public_bytes_raw()


@lru_cache(maxsize=_REMEMBERED_KEYS)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
