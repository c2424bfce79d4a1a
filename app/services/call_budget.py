"""A budget for requests to targets that people set off: test sends and handshakes.

Without one, an account could use this service to knock at somebody's door, or keep every
thread of the API waiting for targets that do not answer. It counts in this process only:
with several API processes an account has as many budgets.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from app.core.errors import RateLimitedError
from app.core.ids import AccountId

PER_MINUTE: Final = 10
AT_ONCE: Final = 16
EACH_AT_ONCE: Final = 2
_BUSY_RETRY_S: Final = 2
_MAX_ACCOUNTS: Final = 10_000


class CallBudget:
    """So many calls a minute for each account, and few of them under way at once.

    One account never has all the calls that can be under way, so that it keeps nobody else
    waiting. Thread-safe. Each account is one moment: when its budget is whole again. A call moves
    that moment away by its share of a minute, and it never lies more than a minute ahead.
    """

    def __init__(
        self,
        *,
        per_minute: int = PER_MINUTE,
        at_once: int = AT_ONCE,
        each_at_once: int = EACH_AT_ONCE,
    ) -> None:
        """Make it; ``at_once`` is for all accounts together, ``each_at_once`` for one."""
        self._share = timedelta(minutes=1) / per_minute
        self._at_once = at_once
        self._each_at_once = each_at_once
        self._under_way: Counter[AccountId] = Counter()
        self._whole_at: OrderedDict[AccountId, datetime] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def call(self, account_id: AccountId, *, now: datetime) -> Iterator[None]:
        """Let the account make one call, in the block.

        Raises:
            RateLimitedError: Its budget is used up, or too many calls are under way.
        """
        with self._lock:
            self._take(account_id, now)
            self._under_way[account_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._end(account_id)

    def _end(self, account_id: AccountId) -> None:
        self._under_way[account_id] -= 1
        if not self._under_way[account_id]:
            del self._under_way[account_id]  # nothing is kept of who calls nobody

    def _take(self, account_id: AccountId, now: datetime) -> None:
        is_full = self._under_way.total() >= self._at_once
        if is_full or self._under_way[account_id] >= self._each_at_once:
            raise RateLimitedError(
                "Too many such calls are under way.", retry_after_seconds=_BUSY_RETRY_S
            )
        minute = now + timedelta(minutes=1)
        # Not further ahead than a minute even where the clock was set back.
        whole_at = min(max(self._whole_at.get(account_id, now), now), minute) + self._share
        if whole_at > minute:
            seconds = math.ceil((whole_at - minute).total_seconds())
            raise RateLimitedError(
                f"This account may do this {round(timedelta(minutes=1) / self._share)} times a "
                f"minute. Try again in {seconds} s.",
                retry_after_seconds=seconds,
            )
        self._whole_at[account_id] = whole_at
        self._whole_at.move_to_end(account_id)
        if len(self._whole_at) > _MAX_ACCOUNTS:
            self._whole_at.popitem(last=False)
