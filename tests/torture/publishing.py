"""The producer: publishes, and writes down what it sent and what was accepted."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.torture.calls import Answer, Api
from tests.torture.world import ACCOUNT, World

BATCH = 100
_RETRY_S = 0.05


def event(n: int, **changes: Any) -> dict[str, Any]:
    """Return the event about record ``n``; its key is the same at every try."""
    data = {"id": n, "schedule_id": 51423, "full_name": "Ines Moreau", "price": 15.0}
    made = {"account": ACCOUNT, "type": "appointment.create", "data": data}
    return made | {"idempotency_key": f"key-{n}"} | changes


def publish(world: World, api: Api, n: int, **changes: Any) -> Answer:
    """Publish one event, once."""
    world.ledger.about_to_send(n)
    answer = api.call("POST", "/events", event(n, **changes))
    if answer.is_success:
        world.ledger.accepted({n: answer.document["id"]})
    return answer


def publish_batch(world: World, api: Api, numbers: Iterable[int]) -> Answer:
    """Publish up to 100 events in one call, once."""
    numbers = list(numbers)
    world.ledger.about_to_send(*numbers)
    answer = api.call("POST", "/events/batch", {"events": [event(n) for n in numbers]})
    if answer.is_success:
        ids = [one["id"] for one in answer.document["results"]]
        world.ledger.accepted(dict(zip(numbers, ids, strict=True)))
    return answer


def publish_all(world: World, numbers: range) -> None:
    """Publish every number, in batches; each has to be accepted."""
    api = world.publisher()
    for first in range(numbers.start, numbers.stop, BATCH):
        answer = publish_batch(world, api, range(first, min(first + BATCH, numbers.stop)))
        assert answer.is_success, f"{answer.status} {answer.document}"


@dataclass
class Stream:
    """Publishes single events at a rate, from several threads, until it is stopped.

    An event that was not accepted is tried again with the same key, as the client does;
    every ``gives_up_every``-th is not (0: none).
    """

    world: World
    per_second: float
    threads: int = 8
    gives_up_every: int = 0
    first: int = 1
    answers: dict[int, int] = field(default_factory=dict)
    without_advice: int = 0  # 503 and 429 that do not say when to come again
    count: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._running = [
            threading.Thread(target=self._run, args=[number], daemon=True)
            for number in range(self.threads)
        ]

    def start(self) -> "Stream":
        for one in self._running:
            one.start()
        self.world.at_the_end(self.stop)
        return self

    def stop(self) -> None:
        self._stopping.set()
        for one in self._running:
            one.join()

    def _run(self, number: int) -> None:
        api = self.world.publisher()
        step = self.threads / self.per_second
        due = time.monotonic() + step * number / self.threads
        n = self.first + number
        while not self._stopping.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + step, time.monotonic() - 1)  # a pause is not caught up at once
            self._publish(api, n)
            n += self.threads

    def _publish(self, api: Api, n: int) -> None:
        gives_up = self.gives_up_every and n % self.gives_up_every == 0
        while True:
            answer = publish(self.world, api, n)
            self._note(answer)
            if answer.is_success or gives_up or self._stopping.is_set():
                return
            time.sleep(_RETRY_S)

    def _note(self, answer: Answer) -> None:
        with self._lock:
            self.count += answer.is_success
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
            if answer.status in (429, 503) and "retry-after" not in answer.headers:
                self.without_advice += 1


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run ``work(0)`` … ``work(count - 1)`` at the same time, and wait for all."""
    threads = [threading.Thread(target=work, args=[number]) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
