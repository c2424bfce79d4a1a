"""How much at once, and how fast: what a worker lets one subscription, or one host, have.

Both kinds of limit live in one worker's memory. They know no clock: ``now`` is the
caller's, in seconds of a clock that never goes back. Every call is cheap, since there is
one or more for every attempt.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)

# A bucket holds what comes in so much time: enough for a loop that looks in now and then,
# and no second sees much more than the rate.
BURST_S = 0.1
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRules:
    """Between what bounds a cap moves.

    Attributes:
        start: The cap of somebody of whom nothing is known.
        floor: The least that anybody gets: the targets that hang, or are slow.
        ceiling: The most that anybody gets: the targets that answer at once.
        slow_after_s: An exchange that takes longer is slow.
        forget_after_s: What was learned is forgotten after so much time without an exchange.
        most_idle: Of how many without an exchange it is remembered at most.
    """

    start: int
    floor: int
    ceiling: int
    slow_after_s: float = 1.0
    forget_after_s: float = 60.0
    most_idle: int = 10_000


SUBSCRIPTION_CAPS = CapRules(start=4, floor=1, ceiling=128)
HOST_CAPS = CapRules(start=16, floor=4, ceiling=256)


class AdaptiveCaps(Generic[_Key]):
    """How many exchanges each key may have under way, by how its exchanges went.

    Every quick success raises a cap by one, so that it doubles while all goes well. Every
    slow exchange halves it, once, as soon as it is known to be slow and not only when it
    ends: four exchanges that hang must not get a hundred more for company. A slow failure
    (a time-out) brings it down to the floor. A quick failure changes nothing: it takes up
    no room.

    Not safe to share between threads.
    """

    def __init__(self, rules: CapRules) -> None:
        """Begin with nothing known."""
        self._rules = rules
        self._slow_after = rules.slow_after_s
        self._known: dict[_Key, _Known] = {}
        self._idle: OrderedDict[_Key, float] = OrderedDict()  # the longest idle first

    def limit(self, key: _Key, now: float) -> int:
        """Return how many exchanges the key may have under way."""
        known = self._known.get(key)
        if known is None:
            return self._rules.start
        self._notice_slow(known, now)
        return known.cap

    def began(self, key: _Key, token: Hashable, now: float) -> None:
        """Say that an exchange is under way; ``token`` tells it from the key's others."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(self._rules.start)
        elif not (known.quick or known.slow):
            self._idle.pop(key, None)
        known.quick[token] = now

    def ended(self, key: _Key, token: Hashable, now: float, *, succeeded: bool) -> None:
        """Say that an exchange is over. One that is not known of is ignored."""
        known = self._known.get(key)
        if known is None:
            return
        self._notice_slow(known, now)
        if token in known.slow:
            known.slow.remove(token)
            if not succeeded:
                known.cap = self._rules.floor
        elif known.quick.pop(token, None) is None:
            return
        elif succeeded and known.cap < self._rules.ceiling:
            known.cap += 1
        if not (known.quick or known.slow):
            self._rest(key, known, now)

    def __len__(self) -> int:
        return len(self._known)

    def _notice_slow(self, known: "_Known", now: float) -> None:
        quick = known.quick
        while quick:
            token = next(iter(quick))  # the first to begin
            if now - quick[token] <= self._slow_after:
                return
            del quick[token]
            known.slow.add(token)
            known.cap = max(self._rules.floor, known.cap // 2)

    def _rest(self, key: _Key, known: "_Known", now: float) -> None:
        if known.cap == self._rules.start:
            del self._known[key]  # nothing was learned
        else:
            self._idle[key] = now
        while self._idle and self._is_to_go(now):
            gone, _ = self._idle.popitem(last=False)
            del self._known[gone]

    def _is_to_go(self, now: float) -> bool:
        if len(self._idle) > self._rules.most_idle:
            return True
        return now - next(iter(self._idle.values())) > self._rules.forget_after_s


class _Known:
    """What is known of one key: its cap, and its exchanges that are under way."""

    __slots__ = ("cap", "quick", "slow")

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.quick: dict[Hashable, float] = {}  # when each began, the first one first
        self.slow: set[Hashable] = set()


class TokenBucket:
    """Lets through so many per second, evenly: a tenth of a second's worth at once."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, per_second: float, now: float) -> None:
        """Begin with a full bucket."""
        self._per_second = per_second
        self._burst = max(1.0, per_second * BURST_S)
        self._tokens = self._burst
        self._at = now

    def take(self, now: float, count: int = 1) -> int:
        """Return how many of ``count`` may go now; they count as gone."""
        tokens = self._tokens
        if now > self._at:
            tokens = min(self._burst, tokens + (now - self._at) * self._per_second)
            self._at = now
        taken = min(count, int(tokens + _ROUNDING))
        self._tokens = tokens - taken
        return taken

    def give_back(self, count: int = 1) -> None:
        """Put back what was taken and did not go after all."""
        self._tokens = min(self._burst, self._tokens + count)

    def next_at(self) -> float:
        """Return from when on at least one may go."""
        return self._at + max(0.0, 1.0 - self._tokens) / self._per_second
