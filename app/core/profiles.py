"""Platform profiles: what a platform's answers say about the subscriber itself.

An answer can mean more than "this delivery was refused": that nobody will ever listen
again, that the automation is switched off for now, or that it is all going too fast.
Every platform says these things in its own way; a profile is the table of one platform.
The tables themselves are data of `app.platforms`.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # deliveries may want the words of this module
    from app.core.deliveries import Outcome


class Signal(StrEnum):
    """What an answer says about the subscriber, beyond this delivery."""

    NONE = "none"
    GONE = "gone"  # nobody will listen at this target again
    OFF = "off"  # nobody listens now; the target may come back


@dataclass(frozen=True, slots=True)
class AnswerSign:
    """An answer to be recognised by its status and, where that is not enough, its body.

    ``body_contains`` is looked for in what was kept of the body, in any case of letters;
    empty: the status alone is the sign.
    """

    status: int
    body_contains: str = ""

    def fits(self, outcome: "Outcome") -> bool:
        """Return whether the outcome is this answer."""
        if outcome.status_code != self.status:
            return False
        return self.body_contains.lower().encode() in outcome.response_body.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one platform behaves as a subscriber.

    The defaults are those of a plain webhook: 410 ends it (REST Hooks, Standard
    Webhooks), 429 slows it down, nothing else has a meaning of its own.

    Attributes:
        gone: Answers that end the subscription at once.
        off: Answers of an automation that is switched off.
        off_after: How long ``off`` answers must have lasted, without a success, before
            they count; until then they are refusals like any other.
        grace: How long an automation that is off may stay so, its events held, before the
            subscription ends; None: for ever.
        probe_every: How often one held delivery is tried while it is off; None: never,
            somebody has to resume the subscription.
        throttled: Answers that mean "too fast", whether or not they carry Retry-After.
        per_second: How many deliveries a second the platform takes; None: no limit known.
        reverse_unsubscribe: It understands ``DELETE`` on its target URL as our saying
            that the subscription has ended.
    """

    gone: tuple[AnswerSign, ...] = (AnswerSign(HTTPStatus.GONE),)
    off: tuple[AnswerSign, ...] = ()
    off_after: timedelta = timedelta()
    grace: timedelta | None = None
    probe_every: timedelta | None = None
    throttled: tuple[AnswerSign, ...] = (AnswerSign(HTTPStatus.TOO_MANY_REQUESTS),)
    per_second: float | None = None
    reverse_unsubscribe: bool = False

    def read(self, outcome: "Outcome") -> Signal:
        """Return what the outcome says about the subscriber; a success says nothing."""
        if outcome.is_success or outcome.status_code is None:
            return Signal.NONE
        if _any_fits(self.gone, outcome):
            return Signal.GONE
        return Signal.OFF if _any_fits(self.off, outcome) else Signal.NONE

    def asks_to_wait(self, outcome: "Outcome") -> bool:
        """Return whether a refusal means "later": it names a time, or is a throttle's.

        A success asks for nothing, whatever its headers say: RFC 9110 §10.2.3 gives
        Retry-After no meaning there.
        """
        if outcome.is_success:
            return False
        return outcome.retry_after_seconds is not None or _any_fits(self.throttled, outcome)


def _any_fits(signs: tuple[AnswerSign, ...], outcome: "Outcome") -> bool:
    return any(sign.fits(outcome) for sign in signs)
