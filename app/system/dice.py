"""Chance from the operating system. See `app.core.ports.Dice`."""

import random
import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_TIME_LENGTH = 10
_CHANCE_BITS = 80
_CHANCE_LENGTH = 16


class SystemDice:
    """Makes ids that sort by time and cannot be guessed: 48 bits of time, 80 of chance.

    Ids made within one millisecond count up, so that later ones sort after earlier ones
    in a process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0
        self._chance = 0

    def new_id(self, prefix: str) -> str:
        """See `Dice`."""
        with self._lock:
            now_ms = max(time.time_ns() // 1_000_000, self._last_ms)
            same = now_ms == self._last_ms
            self._chance = self._chance + 1 if same else secrets.randbits(_CHANCE_BITS - 1)
            self._last_ms = now_ms
            moment, chance = self._last_ms, self._chance
        return f"{prefix}_{_base32(moment, _TIME_LENGTH)}{_base32(chance, _CHANCE_LENGTH)}"

    def token(self, byte_count: int) -> bytes:
        """See `Dice`."""
        return secrets.token_bytes(byte_count)

    def fraction(self) -> float:
        """See `Dice`."""
        return random.random()  # noqa: S311 - jitter is no secret


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
