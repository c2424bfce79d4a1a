"""When the client tries again. Pure: the clock and the dice are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

# Beyond any wait that makes sense, and within what a float holds.
_MAX_DOUBLINGS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and how long one call is tried.

    The wait doubles from ``first_delay_s`` up to ``max_delay_s``; half of it is left to
    chance, so that many clients do not come back together. A ``Retry-After`` of Relais
    lengthens the wait and never shortens it.

    Attributes:
        attempts: Requests in all; 1 means no retry.
        total_s: Seconds after which no new attempt starts. The call itself can last
            longer by the time-out of its last attempt.
    """

    attempts: int = 5
    total_s: float = 30.0
    first_delay_s: float = 0.5
    max_delay_s: float = 8.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts: there is at least one")
        if min(self.total_s, self.first_delay_s, self.max_delay_s) < 0:
            raise ValueError("total_s, first_delay_s and max_delay_s cannot be negative")

    def wait_s(
        self, attempt: int, *, elapsed_s: float, jitter: float, retry_after_s: float | None
    ) -> float | None:
        """Return the seconds to wait after attempt number ``attempt``, or None to give up.

        Args:
            attempt: How many attempts were made, from 1.
            elapsed_s: Seconds since the first one began.
            jitter: A random number in [0, 1).
            retry_after_s: What the answer asked for, if it did.
        """
        delay = min(self.max_delay_s, self.first_delay_s * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS))
        wait = max(delay / 2 * (1 + jitter), retry_after_s or 0.0)
        in_time = elapsed_s + wait <= self.total_s
        return wait if attempt < self.attempts and in_time else None


STANDARD = Retries()


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, or None (RFC 9110 §10.2.3).

    A date is read against the answer's own ``Date``, so this machine's clock does not
    matter.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until, now = _http_date(value), _http_date(headers.get("Date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # HTTP dates are in GMT; one without a zone cannot be compared with the others.
    return moment if moment.utcoffset() is not None else None
