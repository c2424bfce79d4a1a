"""Several machines on one PostgreSQL: two API processes, three workers, one killed.

The processes share nothing but the database, as machines would.
"""

import json
import statistics
import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import make_url

from app.storage.postgres import MAX_CONNECTIONS
from relais_client import NewEvent, Relais
from tests.e2e.processes import RelaisProcess, make_first_keys
from tests.e2e.test_serve import APPOINTMENT, publish, subscribe
from tests.postgres import postgres
from tests.receiver import Receiver, answer_after

EVENTS = 3_000
BATCH = 100
TARGETS = 6
SLOTS = 100
_PATIENCE_S = 120.0
# How often a worker looks by itself: what comes much sooner was rung for.
_POLL_S = 2.0


@pytest.fixture(scope="module")
def url():
    made = postgres().new_database(migrated=False)
    yield made
    postgres().drop(make_url(made).database)


class Deployment:
    """Two API processes and some workers on one database."""

    def __init__(self, stack, folder, url):
        self.publisher_key, self.account_key = make_first_keys(folder, database_url=url)
        self.database = make_url(url).database
        self._stack = stack
        self._data = ("--data", str(folder))
        self._settings = {"RELAIS_DATABASE_URL": url, "RELAIS_WORKER_SLOTS": f"{SLOTS}"}
        self.apis = [self.start("api", "--port", "0") for _ in range(2)]
        self.workers = [self.start("worker") for _ in range(2)]
        for worker in self.workers:
            worker.rest_of("The worker delivers.")

    def start(self, *command):
        process = RelaisProcess(*command, *self._data, **self._settings)
        return self._stack.enter_context(process)

    def publish(self, api, first, last):
        """Publish numbered events in batches to one of the API processes."""
        with Relais(self.apis[api].url, self.publisher_key) as relais:
            for start in range(first, last, BATCH):
                data = [{**APPOINTMENT, "id": n} for n in range(start, start + BATCH)]
                relais.publish_batch([NewEvent("demo", "appointment.create", one) for one in data])

    def ask(self, question):
        return postgres().ask(self.database, question)

    def held_by(self, worker):
        """Return how many deliveries the worker holds under a lease."""
        return self.ask(f"SELECT count(*) FROM deliveries WHERE {_is_held_by(worker)}")  # noqa: S608  # our words

    def let_leases_end(self, worker):
        """Do what time does."""
        now = "due_at = now(), lease_expires_at = now()"
        late = f"UPDATE deliveries SET {now} WHERE {_is_held_by(worker)}"  # noqa: S608  # our words
        self.ask(f"WITH late AS ({late} RETURNING 1) SELECT count(*) FROM late")  # noqa: S608  # our words


def _is_held_by(worker):
    return f"state = 'sending' AND worker LIKE '%-{worker.process.pid}'"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory, url):
    with ExitStack() as stack:
        yield Deployment(stack, tmp_path_factory.mktemp("deployment"), url)


@pytest.fixture
def receivers():
    """As many as the workers' shares of one subscription need to be busy all."""
    with ExitStack() as stack:
        yield [stack.enter_context(Receiver()) for _ in range(TARGETS)]


def until(is_so, patience_s=_PATIENCE_S):
    end = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_every_event_arrives_though_a_worker_is_killed(deployment, receivers):
    victim = deployment.start("worker")
    victim.rest_of("The worker delivers.")
    workers = [*deployment.workers, victim]
    before = [attempts_of(worker) for worker in workers]
    for number, receiver in enumerate(receivers):
        receiver.misbehave(answer_after(0.5))
        subscribe(deployment.apis[number % 2].url, deployment.account_key, receiver.url)
    events = EVENTS // TARGETS
    half = events // 2 // BATCH * BATCH
    publishers = [
        threading.Thread(target=deployment.publish, args=each)
        for each in ((0, 0, half), (1, half, events))
    ]
    for publisher in publishers:
        publisher.start()

    until(lambda: attempts_of(victim) > 20 and deployment.held_by(victim) > 20)
    victim.process.kill()
    victim.process.wait()
    held = deployment.held_by(victim)
    for publisher in publishers:
        publisher.join()
    deployment.let_leases_end(victim)

    until(lambda: all(len(set(arrived_at(each))) == events for each in receivers))
    until(lambda: not deployment.ask("SELECT count(*) FROM deliveries WHERE settled_at IS NULL"))
    assert 0 < held <= SLOTS
    for receiver in receivers:
        assert set(arrived_at(receiver)) == set(range(events))
    repeated = sum(len(arrived_at(each)) - events for each in receivers)
    assert repeated <= held
    shares = [attempts_of(worker) - n for worker, n in zip(workers, before, strict=True)]
    assert min(shares) > 20


def attempts_of(worker):
    return worker.log.count("delivery.attempted")


def arrived_at(receiver):
    """Return the numbers of the events that arrived, as often as they did."""
    return [json.loads(one.body)["appointment_id"] for one in receiver.requests]


def test_workers_are_rung_for_and_do_not_wait_for_their_next_look(deployment, receivers):
    receiver = receivers[0]
    subscribe(deployment.apis[0].url, deployment.account_key, receiver.url)
    waits = []
    for count in range(1, 16):
        before = time.monotonic()
        publish(deployment.apis[count % 2].url, deployment.publisher_key)
        receiver.wait_for(count)
        waits.append(time.monotonic() - before)
        time.sleep(0.05)  # the workers rest again

    assert statistics.median(waits) < _POLL_S / 4
    assert len(receiver.requests) == 15


def test_the_processes_keep_to_their_budget_of_connections(deployment, receivers):
    """docs/scaling.md names these numbers: operators size their server by them."""
    subscribe(deployment.apis[0].url, deployment.account_key, receivers[0].url)
    deployment.publish(0, 0, 500)
    until(lambda: len(receivers[0].requests) >= 500)

    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    open_now = deployment.ask(asked) - 1  # but for the one that asks

    bells = 2 * len(deployment.workers) + len(deployment.apis)
    pools = MAX_CONNECTIONS * (len(deployment.workers) + len(deployment.apis))
    assert open_now <= bells + pools
    assert open_now < postgres().ask("postgres", "SELECT current_setting('max_connections')::int")
