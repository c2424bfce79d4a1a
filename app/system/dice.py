"""Chance from the operating system. See `app.core.ports.Dice`."""

import base64
import random
import secrets
import threading
import time

_TIME_BYTES = 6
_CHANCE_BYTES = 10
_CHANCE_BITS = 8 * _CHANCE_BYTES


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
        raw = moment.to_bytes(_TIME_BYTES) + chance.to_bytes(_CHANCE_BYTES)
        # This alphabet, 0-9 before a-v, keeps the order of the bytes.
        return f"{prefix}_{base64.b32hexencode(raw).decode().rstrip('=').lower()}"

    def token(self, byte_count: int) -> bytes:
        """See `Dice`."""
        return secrets.token_bytes(byte_count)

    def fraction(self) -> float:
        """See `Dice`."""
        return random.random()  # noqa: S311 - jitter is no secret
