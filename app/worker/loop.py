"""The delivering loop: claim (commit) → send → settle (commit).

Two threads share the work. The *store thread* settles behind and claims ahead, both in one
transaction (`app.services.turns`) and in batches, and is the only one that waits for the
database. The *send thread* drives the network and never waits for the database, so a slow
disk does not slow the requests in flight, nor a slow receiver the settling.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from app.core.errors import UnavailableError
from app.core.ids import AttemptId
from app.core.ports import Doorbell
from app.core.records import ClaimedDelivery
from app.core.sending import Sender
from app.services import deliver
from app.services.context import Context
from app.services.deliver import EndedAttempt, PreparedAttempt
from app.services.presence import Pulse
from app.services.settle import Settled, settle_attempts
from app.services.turns import Turn, take_turn
from app.worker.gate import SlotGate
from app.worker.lines import log_attempt
from app.worker.measuring import count_settled
from app.worker.options import WorkerOptions

log = logging.getLogger(__name__)

_POLL_S = 1.0
_STORE_DOWN_WAIT_S = 0.5
_CROWDED_WAIT_S = 0.05
# Who claimed so many may find more at once: a claim looks into so many lanes at most.
_MANY = 32


class DeliveryLoop:
    """Delivers until it is told to stop; then finishes what is on the network."""

    def __init__(
        self, context: Context, sender: Sender, doorbell: Doorbell, options: WorkerOptions
    ) -> None:
        """Make a loop; it owns the sender and closes it."""
        self._context = context
        self._sender = sender
        self._doorbell = doorbell
        self._options = options
        self._stirred = threading.Event()
        self._stopping = threading.Event()
        self._ready: deque[PreparedAttempt] = deque()
        self._ended: deque[EndedAttempt] = deque()
        self._gate = SlotGate(  # what is claimed and has not ended; the store thread's
            options.slots, share=options.share, pace_of=deliver.pace_of, monotonic=time.monotonic
        )
        self._mend_every_s = context.rules.lease.total_seconds() / 4
        self._mended_at = time.monotonic()
        self._pulse = Pulse(context, options.name)
        self._all_settled = threading.Event()
        self._threads = [
            threading.Thread(target=self._watched, args=[target], name=name, daemon=True)
            for name, target in (
                ("relais-store", self._keep_store),
                ("relais-send", self._keep_sending),
                ("relais-bell", self._keep_listening),
            )
        ]

    def start(self, on_failure: Callable[[], None] = lambda: None) -> None:
        """Start delivering, in threads of its own.

        ``on_failure`` is called, by one of them, should a thread end with an error that
        nobody foresaw: the process should be started again then.
        """
        self._on_failure = on_failure
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Claim nothing more, finish what is on the network, settle it, and return.

        What has not ended within the options' patience is dropped: its lease runs out
        and another worker, or the next start, attempts it again.
        """
        self._stopping.set()
        self._stir()
        self._doorbell.ring()  # the bell thread waits for nothing else
        self._all_settled.wait(self._options.patience_s)
        self._all_settled.set()
        self._sender.wakeup()
        for thread in self._threads:
            thread.join(timeout=self._options.idle_wait_s + _POLL_S)
        self._sender.close()
        self._pulse.stop()

    def _watched(self, keep: Callable[[], None]) -> None:
        try:
            keep()
        except Exception:
            log.exception("worker.thread_died", extra={"worker": self._options.name})
            self._on_failure()

    # The store thread.

    def _keep_store(self) -> None:
        while not self._all_settled.is_set():
            self._stirred.clear()
            self._say_alive()
            try:
                self._mend_leases()
                self._settle_and_claim()
            except UnavailableError as problem:
                reason = {"worker": self._options.name, "reason": problem.message}
                log.warning("store.unavailable", extra=reason)
                self._all_settled.wait(_STORE_DOWN_WAIT_S)
            except Exception:  # the worker's edge: one bad row must not end all delivery
                log.exception("worker.failed", extra={"worker": self._options.name})
                self._all_settled.wait(_STORE_DOWN_WAIT_S)

    def _say_alive(self) -> None:
        self._pulse.beat(len(self._gate))
        self._context.meter.slots(len(self._gate), self._options.slots)

    def _mend_leases(self) -> None:
        """End leases that no clock can have meant, a few times per lease.

        Every worker does it, not the leader alone: its lead may be such a lease.
        """
        if time.monotonic() - self._mended_at >= self._mend_every_s:
            self._mended_at = time.monotonic()
            deliver.shorten_leases(self._context)

    def _settle_and_claim(self) -> None:
        if self._stopping.is_set():
            self._give_back()
        ended, room = self._next_ended(), self._room()
        is_busy = self._take_turn(ended, room) if ended or room else False
        if self._stopping.is_set() and not self._holds_any():
            self._all_settled.set()
        elif not is_busy:
            self._stirred.wait(min(self._wait_s(), self._mend_every_s))

    def _take_turn(self, ended: list[EndedAttempt], room: int) -> bool:
        """Settle and claim; say whether there may be more of either at once."""
        # Whatever goes wrong below, these are no longer held: a lease that is not settled
        # runs out, and the delivery is attempted again.
        for one in ended:
            succeeded = one.outcome.is_success
            self._gate.ended(one.prepared.claimed.delivery.id, succeeded=succeeded)
        try:
            with self._gate.claiming():
                turn = take_turn(
                    self._context, ended, worker=self._options.name, limit=room, gate=self._gate
                )
        except UnavailableError:
            self._ended.extendleft(reversed(ended))
            raise
        except Exception:
            # Something is wrong with one of them, perhaps: the others must not pay for it.
            log.exception("worker.turn_failed", extra={"worker": self._options.name})
            self._settle_each(ended)
            return False
        self._hand_on(turn.claimed)
        self._record(turn, ended)
        return bool(self._ended) or 0 < min(room, _MANY) <= len(turn.claimed)

    def _settle_each(self, ended: Sequence[EndedAttempt]) -> None:
        for one in ended:
            began = time.perf_counter()
            try:
                settled = settle_attempts(self._context, [one])
                self._record_ended([one], settled, time.perf_counter() - began)
            except UnavailableError:
                self._ended.append(one)
            except Exception:  # its lease runs out, and it is attempted again
                delivery_id = one.prepared.claimed.delivery.id
                log.exception("delivery.not_settled", extra={"delivery_id": delivery_id})

    def _next_ended(self) -> list[EndedAttempt]:
        count = min(len(self._ended), self._options.batch)
        return [self._ended.popleft() for _ in range(count)]

    def _room(self) -> int:
        """Return how many deliveries to claim now."""
        if self._stopping.is_set() or len(self._ended) > self._options.slots:
            return 0
        return max(0, min(self._options.slots - len(self._gate), self._options.batch))

    def _hand_on(self, claimed: Sequence[ClaimedDelivery]) -> None:
        for one in claimed:
            self._prepare(one)
        if claimed:
            self._sender.wakeup()

    def _record(self, turn: Turn, ended: Sequence[EndedAttempt]) -> None:
        self._context.meter.claimed(len(turn.claimed), turn.claim_s)
        if turn.settled is not None:
            self._record_ended(ended, turn.settled, turn.settle_s)

    def _record_ended(
        self, ended: Sequence[EndedAttempt], settled: Settled, seconds: float
    ) -> None:
        count_settled(self._context.meter, ended, settled, seconds=seconds)
        for one, settlement in zip(ended, settled.settlements, strict=True):
            log_attempt(self._options.name, one, settlement.verdict, lost=settled.lost)

    def _prepare(self, claimed: ClaimedDelivery) -> None:
        try:
            prepared = deliver.prepare(self._context, claimed, user_agent=self._options.user_agent)
        except Exception:  # one that cannot be prepared must not take the others with it
            self._gate.ended(claimed.delivery.id, succeeded=False)
            log.exception("delivery.not_prepared", extra={"delivery_id": claimed.delivery.id})
        else:
            self._ready.append(prepared)

    def _give_back(self) -> None:
        unsent = []
        while self._ready:
            try:
                unsent.append(self._ready.popleft())
            except IndexError:  # the send thread was quicker
                break
        # Should this fail, their leases run out: they are attempted again all the same.
        for one in unsent:
            self._gate.ended(one.claimed.delivery.id, succeeded=False)
        deliver.give_back(self._context, [one.claimed for one in unsent])

    def _wait_s(self) -> float:
        if self._stopping.is_set() or len(self._gate) >= self._options.slots:
            return self._options.idle_wait_s
        with self._context.store.read() as tx:
            due = tx.next_due_at()
        if due is None:
            return self._options.idle_wait_s
        seconds = (due - self._context.clock.now()).total_seconds()
        # What is due and was not claimed has no room in the gate: an ended attempt makes
        # some, and stirs us.
        return min(max(seconds, _CROWDED_WAIT_S), self._options.idle_wait_s)

    def _holds_any(self) -> bool:
        return bool(len(self._gate) or self._ended)

    # The send thread.

    def _keep_sending(self) -> None:
        on_the_wire: dict[AttemptId, PreparedAttempt] = {}
        while not self._all_settled.is_set():
            while self._ready:
                try:
                    prepared = self._ready.popleft()
                except IndexError:  # given back meanwhile
                    break
                on_the_wire[prepared.attempt_id] = prepared
                self._sender.submit(prepared.request)
            ended = self._sender.poll(_POLL_S)
            now = self._context.clock.now()
            for token, outcome in ended:
                prepared = on_the_wire.pop(AttemptId(token))
                self._ended.append(EndedAttempt(prepared=prepared, outcome=outcome, ended_at=now))
            if ended:
                self._stir()

    # The bell thread.

    def _keep_listening(self) -> None:
        while not self._stopping.is_set():
            if self._doorbell.wait(self._options.idle_wait_s):
                self._stir()

    def _stir(self) -> None:
        self._stirred.set()
