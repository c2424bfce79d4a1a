"""Random life in one process: people, publishers, workers, time and crashes (scenario 30).

Hypothesis chooses what happens; after each step the invariants I1 to I9 are looked at:
no loss, no phantom, bounded duplicates, one live lease, nothing too early, the same bytes
under the same id with a valid signature, no tenant's data at another's, no secret where
none belongs, and only legal changes of state.
"""

import json
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.deliveries import FINAL_STATES, Outcome, OutcomeKind
from app.core.errors import ConflictError, NotFoundError
from app.core.records import DeliveryQuery
from app.core.subscriptions import SubscriptionState
from app.services import deliver, secrets, subscribe
from app.services.accounts import AccountChange, create_account
from app.services.deliver import EndedAttempt
from app.services.deliveries import redeliver
from app.services.ingest import publish
from app.services.prune import prune
from app.services.publications import NewEvent
from app.services.settle import settle_attempts
from app.services.wishes import Wish
from app.storage.tables import metadata
from tests.contexts import a_context, a_store
from tests.contracts.stores import drop, postgres_store
from tests.torture.checker import has_signature
from tests.torture.ledger import Arrival
from tests.torture.model import LEGAL, PENDING, SENDING, Held, Model, Sub

RETENTION = timedelta(days=30)
MOST_ATTEMPTS = 10
_DRAIN_STEPS = 400
_TENANTS = st.sampled_from((0, 1))
_WORKERS = st.sampled_from(("w1", "w2"))
_ANY = st.integers(min_value=0, max_value=1_000)
_SECONDS = st.sampled_from((1, 7, 50, 400, 3_600, 30_000, 90_000))
_RETRY_LATER_S = 120

ANSWERS = {
    "ok": Outcome(kind=OutcomeKind.SUCCEEDED, duration_ms=5, status_code=200),
    "refused": Outcome(kind=OutcomeKind.HTTP_STATUS, duration_ms=5, status_code=500),
    "later": Outcome(
        kind=OutcomeKind.HTTP_STATUS,
        duration_ms=5,
        status_code=429,
        retry_after_seconds=_RETRY_LATER_S,
    ),
    "silent": Outcome(kind=OutcomeKind.READ_TIMEOUT, duration_ms=15_000),
    "ours": Outcome(kind=OutcomeKind.DNS_FAILED, duration_ms=5),
    "gone": Outcome(kind=OutcomeKind.HTTP_STATUS, duration_ms=5, status_code=410),
}


class Life(RuleBasedStateMachine):
    """Two accounts, two workers, and an empty store."""

    store = None  # set by `run`
    happened: ClassVar = Counter()  # over all examples
    references = ("tenant-1", "tenant-2")

    def __init__(self) -> None:
        super().__init__()
        _empty(self.store)
        self.context = a_context(store=self.store)
        self.model = Model()
        self.accounts = [
            create_account(self.context, one, AccountChange()).id for one in self.references
        ]
        self.seen = {}

    @initialize(events=st.integers(1, 4))
    def begin(self, events):
        """Nobody has to wait until somebody subscribes and something happens."""
        for tenant in (0, 1):
            self.subscribe(tenant, "a")
            for _ in range(events):
                self.publish(tenant, None)

    # -- People

    @rule(tenant=_TENANTS, lane=st.sampled_from("abc"))
    def subscribe(self, tenant, lane):
        wish = Wish(triggers=("new_appointment",), target_url=f"https://hooks.example.com/{lane}")
        made = subscribe.subscribe(self.context, self.accounts[tenant], wish)
        if made.is_new:
            one = made.subscription
            self.model.subs[one.id] = Sub(one.id, self.accounts[tenant], [one.secret])
        assert made.subscription.id in self.model.subs

    @rule(which=_ANY, what=st.sampled_from(("rotate", "change", "pause", "resume", "delete")))
    def edit(self, which, what):
        sub = list(self.model.subs.values())[which % len(self.model.subs)]
        getattr(self, f"_{what}")(sub)

    def _rotate(self, sub):
        with self._over(sub):
            changed = secrets.rotate_secret(self.context, sub.account, sub.id)
            sub.secrets.append(changed.secret)

    def _change(self, sub):
        change = subscribe.Change(target_url=f"https://hooks.example.com/x/{sub.id}")
        with self._over(sub):
            subscribe.change_subscription(self.context, sub.account, sub.id, change)

    def _pause(self, sub):
        with self._over(sub):
            subscribe.pause(self.context, sub.account, sub.id)
            sub.is_paused = True

    def _resume(self, sub):
        with self._over(sub):
            subscribe.resume(self.context, sub.account, sub.id)
            sub.is_paused = False

    def _delete(self, sub):
        subscribe.unsubscribe(self.context, sub.account, sub.id)
        sub.is_over = True

    @precondition(lambda self: self.seen)
    @rule(which=_ANY)
    def redeliver(self, which):
        delivery = list(self.seen.values())[which % len(self.seen)]
        with suppress(ConflictError):
            redeliver(self.context, delivery.account_id, delivery.id)
            assert delivery.state in FINAL_STATES
            self._note_redelivery(delivery)
            self.happened["redelivered"] += 1

    # -- The publisher

    @rule(tenant=_TENANTS, key=st.sampled_from((None, "k1", "k2")))
    def publish(self, tenant, key):
        account = self.accounts[tenant]
        states = self._states(account)
        event = NewEvent(
            account=self.references[tenant],
            type="appointment.create",
            data={"id": 1, "full_name": self.references[tenant]},
            idempotency_key=key,
        )
        answer = publish(self.context, event)
        known = self.model.keys.get((account, key))
        assert answer.is_replay == (known is not None)
        if known is not None:
            assert answer.id == known
            return
        if key is not None:
            self.model.keys[account, key] = answer.id
        self.model.events[answer.id] = account
        for one in self.model.of_account(account):
            if states.get(one.id) is SubscriptionState.ACTIVE:
                self.model.owed.add((answer.id, one.id))
            elif not one.is_paused:  # suspended by the service: it may be kept for later
                self.model.may_be.add((answer.id, one.id))

    # -- Workers, time and crashes

    @rule(worker=_WORKERS, limit=st.integers(1, 4))
    def claim(self, worker, limit):
        self._claim(worker, limit)

    @rule(answers=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4))
    def work(self, answers):
        """A worker does what it is there for."""
        self._claim("w1", len(answers))
        self.holds()
        for answer in answers[: len(self.model.held)]:
            self._settle(self.model.held.pop(), ANSWERS[answer])
            self.holds()

    @precondition(lambda self: self.model.held)
    @rule(answer=st.sampled_from(sorted(ANSWERS)))
    def oversleep(self, answer):
        """A worker is frozen for longer than its lease; another one takes over first."""
        held = self.model.held.pop(0)
        self.context.clock.advance(timedelta(seconds=60))
        self._claim("w2", 4)
        self.holds()
        self._settle(held, ANSWERS[answer])

    @precondition(lambda self: self.model.held)
    @rule(which=_ANY, answer=st.sampled_from(sorted(ANSWERS)))
    def answer(self, which, answer):
        held = self.model.held.pop(which % len(self.model.held))
        self._settle(held, ANSWERS[answer])

    @rule(seconds=_SECONDS)
    def tick(self, seconds):
        self.context.clock.advance(timedelta(seconds=seconds))

    @rule(what=st.sampled_from(("w1", "w2", "prune")))
    def upheaval(self, what):
        self._prune() if what == "prune" else self._crash(what)

    def _crash(self, worker):
        kept = [one for one in self.model.held if one.worker != worker]
        self.happened["crashed with"] += len(self.model.held) - len(kept)
        self.model.held = kept

    def _prune(self):
        prune(self.context, retention=RETENTION)
        with self.context.store.read() as tx:
            gone = [one for one in self.model.events if tx.event(one) is None]
        for event in gone:
            stories = [one for one in self.seen.values() if one.event_id == event]
            assert all(one.state in FINAL_STATES for one in stories), "pruned under way"
            self.seen = {key: one for key, one in self.seen.items() if one.event_id != event}
            self.model.forget_event(event)
            self.happened["pruned"] += 1

    # -- What must always hold

    @invariant()
    def holds(self):
        now = self._stored()
        pairs = [(one.event_id, one.subscription_id) for one in now.values()]
        assert len(pairs) == len(set(pairs)), "I1: a delivery exists twice"
        assert self.model.owed <= set(pairs), "I1: an accepted event has no delivery"
        assert set(pairs) <= self.model.owed | self.model.may_be, "I2: nobody asked for it"
        for key, delivery in now.items():
            self._look_at(self.seen.get(key), delivery)
        self.seen = now

    def teardown(self):
        """Everything that was accepted comes to an end, once people and time let it."""
        self.holds()
        self.model.held.clear()
        for sub in self.model.subs.values():
            if not sub.is_over:
                self._resume(sub)
        for _ in range(_DRAIN_STEPS):
            if all(one.state in FINAL_STATES for one in self.seen.values()):
                break
            if not self._claim("w1", 50):
                self.context.clock.advance(timedelta(hours=1))
            self.holds()
            while self.model.held:
                self._settle(self.model.held.pop(), ANSWERS["ok"])
                self.holds()
        open_ones = [one for one in self.seen.values() if one.state not in FINAL_STATES]
        assert not open_ones, "I1: a story has no end"

    # -- In detail

    def _claim(self, worker, limit):
        now = self.context.clock.now()
        before = self.seen
        taken = deliver.claim(self.context, worker=worker, limit=limit)
        for claimed in taken:
            self._look_at_claim(claimed, before[claimed.delivery.id], now)
            prepared = deliver.prepare(self.context, claimed, user_agent="Relais/test")
            self._look_at_request(claimed, prepared.request, now)
            self.model.held.append(Held(worker, claimed, prepared))
            self.happened["claimed"] += 1
        return taken

    def _look_at_claim(self, claimed, before, now):
        key, fence = claimed.delivery.id, claimed.lease.fence
        others = [one for one in self.model.held if one.delivery == key]
        assert not any(one.is_live(now) for one in others), "I4: two live leases"
        assert fence > self.model.fences.get(key, 0), "I4: the fence does not grow"
        self.model.fences[key] = fence
        assert before.state in (PENDING, SENDING), "I9: claimed after its end"
        if before.state is PENDING:
            assert before.next_attempt_at <= now, "I5: claimed before it was due"
        sub = self.model.subs[claimed.subscription.id]
        assert not sub.is_paused, "a paused subscription was claimed"
        assert not sub.is_over, "a deleted subscription was claimed"

    def _look_at_request(self, claimed, request, now):
        key, sub = claimed.delivery.id, self.model.subs[claimed.subscription.id]
        headers = {name.lower(): value for name, value in request.headers}
        assert self.model.bodies.setdefault(key, request.body) == request.body, "I6: other bytes"
        arrival = Arrival(
            at=now.timestamp(),
            path="",
            delivery=headers["webhook-id"],
            timestamp=headers["webhook-timestamp"],
            signature=headers["webhook-signature"],
            body=request.body,
        )
        assert arrival.delivery == key, "I6: another id"
        assert arrival.timestamp == str(int(now.timestamp())), "I6: an old timestamp"
        assert has_signature(arrival, [sub.secret]), "I6: a signature that does not verify"
        content = json.loads(request.body)
        tenant = self.references[self.accounts.index(sub.account)]
        assert content["account"] == content["full_name"] == tenant, "I7: another tenant's data"
        assert claimed.delivery.account_id == sub.account, "I7: another tenant's delivery"
        assert self.model.events[content["id"]] == sub.account, "I7: another tenant's event"

    def _settle(self, held, outcome):
        now = self.context.clock.now()
        ended = EndedAttempt(prepared=held.prepared, outcome=outcome, ended_at=now)
        before = self.seen.get(held.delivery)
        lost = settle_attempts(self.context, [ended]).lost
        with self.context.store.read() as tx:
            after = tx.delivery(held.delivery)
        if before is None:  # pruned meanwhile: nothing comes back
            assert after is None, "I2: a pruned delivery came back"
            return
        self.happened["settled"] += 1
        if held.fence != self.model.fences[held.delivery]:
            self.happened["settled too late"] += 1
            assert held.delivery in lost, "I4: an old fence was accepted"
        if held.delivery in lost:
            assert after == before, "I4: a lost lease changed something"
        self._follow_target(held, outcome)
        self.model.attempts[held.delivery] = self.model.attempts.get(held.delivery, 0) + 1
        self._look_at_attempts(held)

    def _follow_target(self, held, outcome):
        """A target that says it is gone ends its subscription, as it was at the claim."""
        sub = self.model.subs[held.claimed.subscription.id]
        with self.context.store.read() as tx:
            state = tx.subscription(sub.id).state
        if state is SubscriptionState.ENDED and not sub.is_over:
            assert outcome is ANSWERS["gone"], "a subscription ended for no reason"
            sub.is_over = True

    def _look_at_attempts(self, held):
        with self.context.store.read() as tx:
            attempts = tx.attempts(held.delivery)
        assert len(attempts) == self.model.attempts[held.delivery], "I3: an attempt is missing"
        written = repr([(one.request_headers, one.outcome) for one in attempts])
        secrets = [one for sub in self.model.subs.values() for one in sub.secrets]
        assert not any(one in written for one in secrets), "I8: a secret is in the log"

    def _look_at(self, before, after):
        assert after.account_id == self.model.events[after.event_id], "I7: another tenant's"
        assert after.attempt_count <= MOST_ATTEMPTS, "I5: more attempts than the schedule has"
        assert (after.settled_at is not None) == (after.state in FINAL_STATES), "I9: half settled"
        was = PENDING if before is None else before.state
        if was is not after.state:
            assert (was, after.state) in LEGAL, f"I9: from {was} to {after.state}"

    def _stored(self):
        found = {}
        with self.context.store.read() as tx:
            for account in self.accounts:
                page = tx.deliveries(account, DeliveryQuery(), limit=1_000, cursor=None)
                found |= {one.id: one for one in page.items}
        return found

    def _states(self, account):
        with self.context.store.read() as tx:
            found = {one.id: tx.subscription(one.id) for one in self.model.of_account(account)}
        return {key: one.state for key, one in found.items()}

    def _note_redelivery(self, delivery):
        """A person may do what the state machine of an attempt may not."""
        with self.context.store.read() as tx:
            self.seen[delivery.id] = tx.delivery(delivery.id)
        assert self.seen[delivery.id].state is PENDING

    def _over(self, sub):
        """What is over is not found; what is not, is."""
        return pytest.raises(NotFoundError) if sub.is_over else suppress(ConflictError)


def _empty(store):
    """Delete every row: quicker than a new store for each example."""
    with store.database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


STORES = {"sqlite": a_store, "postgresql": lambda: postgres_store(None)}


def run(engine, *, examples, steps):
    """Live so many random lives on one store of an engine; return what happened in them."""
    store = STORES[engine]()
    machine = type("LifeOn", (Life,), {"store": store, "happened": Counter()})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=chosen)
    finally:
        drop(store)
    return machine.happened


@pytest.mark.torture
@pytest.mark.parametrize("engine", STORES)
def test_whatever_happens_the_invariants_hold(engine):
    happened = run(engine, examples=15, steps=40)

    assert happened["settled"] > 50
    assert happened["settled too late"] > 0
