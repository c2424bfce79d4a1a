"""Secrets at rest: AES-256-GCM under a ring of keys.

A sealed secret reads ``v1.<key id>.<nonce>.<ciphertext>`` and is bound to its place, so
that a ciphertext copied to another row or account does not open there.
"""

import base64
import binascii
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12  # 96 bits, NIST SP 800-38D 8.2.2: random nonces
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
# Random keys have about 30 different bytes; all zeros or a repeated word has a few.
_MIN_DIFFERENT_BYTES = 16


class VaultError(Exception):
    """A secret that no key of the ring opens in this place, or an unusable ring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed secret stands; it opens nowhere else."""

    table: str
    column: str
    row_id: str
    account_id: str

    @property
    def associated_data(self) -> bytes:
        """Return what the cipher authenticates beside the secret."""
        return f"{self.table}|{self.column}|{self.row_id}|{self.account_id}".encode()


class Vault:
    """Seals with the first key of the ring and opens with any of them.

    Rotation: put a new key in front, seal everything again (`SqlStore.reseal_secrets`),
    then drop the old key.
    """

    def __init__(self, ring: Sequence[tuple[str, bytes]]) -> None:
        """Make a vault from (key id, key) pairs; raises VaultError for an unusable ring."""
        if not ring:
            raise VaultError("The key ring is empty.")
        for number, (key_id, key) in enumerate(ring, start=1):
            _check(number, key_id, key)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in ring}
        if len(self._ciphers) < len(ring):
            raise VaultError("Two keys of the ring have the same id.")
        self._first_id = ring[0][0]

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a ring such as ``k2:<base64>,k1:<base64>``; the first key seals.

        Raises:
            VaultError: Where it is not such a text. The message never holds a key.
        """
        pairs = (part.strip().partition(":") for part in text.split(",") if part.strip())
        return cls([(key_id, _decode(key)) for key_id, _, key in pairs])

    @property
    def current_prefix(self) -> str:
        """Return how every secret sealed with the first key begins."""
        return f"v1.{self._first_id}."

    def seal(self, secret: str, *, place: Place) -> str:
        """Return the secret sealed for ``place``; two seals of one secret differ."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self._first_id]
        sealed = cipher.encrypt(nonce, secret.encode(), place.associated_data)
        return f"{self.current_prefix}{_encode(nonce)}.{_encode(sealed)}"

    def open(self, envelope: str, *, place: Place) -> str:
        """Return the secret that was sealed for ``place``.

        Raises:
            VaultError: The envelope is none of ours, its key is not in the ring, it was
                changed, or it was sealed for another place.
        """
        version, _, rest = envelope.partition(".")
        key_id, _, rest = rest.partition(".")
        nonce, _, sealed = rest.partition(".")
        if version != "v1" or key_id not in self._ciphers:
            raise VaultError(f"No key of the ring opens {place.table}.{place.column}.")
        try:
            cipher = self._ciphers[key_id]
            return cipher.decrypt(_decode(nonce), _decode(sealed), place.associated_data).decode()
        except (InvalidTag, ValueError) as error:
            raise VaultError(
                f"The sealed {place.column} of {place.table} {place.row_id} does not open."
            ) from error


def _check(number: int, key_id: str, key: bytes) -> None:
    """Refuse an unusable key. Its id is not repeated: a mistyped ring has the key there."""
    if not _KEY_ID.fullmatch(key_id):
        raise VaultError(f"Key {number}: its id needs 1 to 32 letters, digits, '-' or '_'.")
    if len(key) != KEY_BYTES:
        raise VaultError(f"Key {number}: it has {len(key)} bytes, AES-256 needs {KEY_BYTES}.")
    if len(set(key)) < _MIN_DIFFERENT_BYTES:
        raise VaultError(f"Key {number}: it is not random; make one with a secure generator.")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of base64 of either alphabet, padded or not."""
    standard = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise VaultError("Not base64.") from error
