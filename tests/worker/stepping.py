"""Delivery step by step, under a clock that only moves when nothing is left to do.

Everything is real but the network and the time: store, claims, gate, settling, policy. A
target is a function from (request, moment) to an outcome, and answers at once.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.sending import HttpRequest
from app.services import deliver
from app.services.context import Context
from app.services.deliver import EndedAttempt
from app.services.settle import settle_attempts
from app.worker.gate import SlotGate
from tests.builders import a_refusal, an_outcome

OK = an_outcome()


@dataclass(frozen=True)
class Sent:
    """One request that a target got."""

    at: datetime
    url: str
    delivery_id: str


@dataclass
class Stepper:
    """A worker without threads. ``answers`` maps target URLs to targets."""

    context: Context
    answers: dict[str, object]
    name: str = "stepper"
    slots: int = 512
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start = self.context.clock.now()
        self.gate = SlotGate(self.slots, pace_of=deliver.pace_of, monotonic=self._monotonic)

    def run(self, duration: timedelta) -> None:
        """Deliver for so long, by the clock."""
        until = self.context.clock.now() + duration
        while True:
            if self.step():
                continue
            due = self._next_due()
            if due is None or due > until:
                self.context.clock.advance(until - self.context.clock.now())
                return
            pause = max(due - self.context.clock.now(), timedelta(milliseconds=10))
            self.context.clock.advance(pause)

    def step(self) -> int:
        """Claim once, send and settle; return how many were sent."""
        with self.gate.claiming():
            claimed = deliver.claim(self.context, worker=self.name, limit=100, gate=self.gate)
        ended = [self._send(deliver.prepare(self.context, one, user_agent="t")) for one in claimed]
        for one in ended:
            succeeded = one.outcome.is_success
            self.gate.ended(one.prepared.claimed.delivery.id, succeeded=succeeded)
        if ended:
            settle_attempts(self.context, ended)
        return len(ended)

    def sent_to(self, url: str) -> list[Sent]:
        return [one for one in self.sent if one.url == url]

    def _send(self, prepared: deliver.PreparedAttempt) -> EndedAttempt:
        now = self.context.clock.now()
        url = prepared.request.target_url
        self.sent.append(Sent(now, url, prepared.claimed.delivery.id))
        answer = self.answers[url]
        outcome = answer(prepared.request, now) if callable(answer) else answer
        return EndedAttempt(prepared=prepared, outcome=outcome, ended_at=now)

    def _next_due(self) -> datetime | None:
        with self.context.store.read() as tx:
            return tx.next_due_at()

    def _monotonic(self) -> float:
        return (self.context.clock.now() - self._start).total_seconds()


class Switch:
    """A target that can be switched: it answers what ``answer`` is at the moment."""

    def __init__(self, answer=OK) -> None:
        self.answer = answer

    def __call__(self, _request: HttpRequest, _now: datetime):
        return self.answer


def refused(status: int, **changes):
    return a_refusal(status, **changes)
