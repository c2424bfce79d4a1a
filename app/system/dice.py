"""Chance from the operating system. See `app.core.ports.Dice`."""

import os
import random
import secrets
import threading
import time
from typing import Final

# 0-9 before a-v: texts in this alphabet sort as the numbers that they write in base 32.
_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuv"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_PAIR_BITS: Final = 10
_PAIR_MASK: Final = (1 << _PAIR_BITS) - 1
_TAIL_BITS: Final = 2 * _PAIR_BITS  # of a moment; the rest changes every four seconds
_TICK_BITS: Final = 12  # a tick is 4.096 microseconds
# From a random byte to a character: each of them is as likely as the others.
_CHARACTERS: Final = (_ALPHABET * 8).encode()
_CHANCE_CHARS: Final = 16
_STOCK_CHARS: Final = 256 * _CHANCE_CHARS


class _Forks:
    """Counts the forks that led to this process: none may draw from its parent's stock."""

    def __init__(self) -> None:
        self.count = 0
        os.register_at_fork(after_in_child=self._add)

    def _add(self) -> None:
        self.count += 1


_forks: Final = _Forks()


class SystemDice:
    """Makes ids that sort by time and cannot be guessed: 50 bits of time, 80 of chance.

    No two ids of a process are of the same tick, so that later ones sort after earlier
    ones; all of their chance is their own. Threads may share one, and so may processes
    that were forked from each other. The time lasts until 2116.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forks = 0
        self._last_tick = 0
        self._head, self._head_text = -1, ""
        self._stock, self._used = "", _STOCK_CHARS

    def new_id(self, prefix: str) -> str:
        """See `Dice`."""
        with self._lock:
            tick = self._last_tick = max(time.time_ns() >> _TICK_BITS, self._last_tick + 1)
            if tick >> _TAIL_BITS != self._head:
                self._write_head(tick >> _TAIL_BITS)
            if self._used == _STOCK_CHARS or self._forks != _forks.count:
                self._restock()
            start = self._used
            self._used = end = start + _CHANCE_CHARS
            tail = _PAIRS[tick >> _PAIR_BITS & _PAIR_MASK] + _PAIRS[tick & _PAIR_MASK]
            return f"{prefix}_{self._head_text}{tail}{self._stock[start:end]}"

    def token(self, byte_count: int) -> bytes:
        """See `Dice`."""
        return secrets.token_bytes(byte_count)

    def fraction(self) -> float:
        """See `Dice`."""
        return random.random()  # noqa: S311 - jitter is no secret

    def _write_head(self, head: int) -> None:
        self._head = head
        self._head_text = "".join(
            _PAIRS[head >> shift & _PAIR_MASK] for shift in (2 * _PAIR_BITS, _PAIR_BITS, 0)
        )

    def _restock(self) -> None:
        # A stock, since to ask the system for each id would cost more than all the rest.
        self._forks = _forks.count
        self._stock = os.urandom(_STOCK_CHARS).translate(_CHARACTERS).decode()
        self._used = 0
