"""Many at the door at once: with one and the same key (24), or as a burst (29)."""

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.torture.publishing import BATCH, event
from tests.torture.trial import Scenario, Trial
from tests.torture.world import World

_PARALLEL = 100
_DELIVERED_WITHIN_S = 120.0
_TIMEOUT_S = 60.0


def race(trial: Trial) -> None:
    """A hundred requests with one key, at the same time, at two API processes."""
    rounds = trial.sized(200, least=3)
    with trial.world() as world:
        world.start_api()
        _, second = world.start_second_api()
        world.subscribe("s1")
        world.start_worker()
        callers = [_connect((world.url, second)[i % 2]) for i in range(_PARALLEL)]
        statuses: set[int] = set()
        for n in range(1, rounds + 1):
            trial.say(f"round {n} of {rounds}")
            statuses |= _race_once(trial, world, callers, n)
        for one in callers:
            one.close()
        world.wait_for_quiet()
        trial.facts |= {"rounds": rounds, "parallel": _PARALLEL}
        trial.require(statuses == {202}, f"answers {sorted(statuses)}")
        found = trial.judge(world)
        trial.require(found.acked == rounds, f"{found.acked} events of {rounds} keys")


def _race_once(trial: Trial, world: World, callers: Sequence[Any], n: int) -> set[int]:
    world.ledger.about_to_send(n)
    answers = _all_at_once(world, callers, "/events", [event(n)] * len(callers))
    ids = {document["id"] for status, _, document in answers if status == 202}
    for one in ids:
        world.ledger.accepted({n: one})
    trial.require(len(ids) == 1, f"key {n} was answered with {len(ids)} ids")
    return {status for status, _, _ in answers}


def burst(trial: Trial) -> None:
    """Five thousand events in a second."""
    batches = trial.sized(50, least=2)
    with trial.world() as world:
        world.start_api()
        world.subscribe("s1")
        world.start_worker()
        numbers = [range(1 + BATCH * one, 1 + BATCH * (one + 1)) for one in range(batches)]
        world.ledger.about_to_send(*(n for some in numbers for n in some))
        callers = [_connect(world.url) for _ in numbers]
        bodies = [{"events": [event(n) for n in some]} for some in numbers]
        start = time.monotonic()
        answers = _all_at_once(world, callers, "/events/batch", bodies)
        trial.facts["answered_s"] = round(time.monotonic() - start, 1)
        for some, (status, headers, document) in zip(numbers, answers, strict=True):
            if status == 202:
                ids = [one["id"] for one in document["results"]]
                world.ledger.accepted(dict(zip(some, ids, strict=True)))
            else:
                is_fair = status == 429 and "retry-after" in headers
                trial.require(is_fair, f"a batch was answered {status}")
        for one in callers:
            one.close()
        trial.say("answered, waiting for the deliveries")
        world.wait_for_quiet(_DELIVERED_WITHIN_S)
        trial.facts |= {
            "events": batches * BATCH,
            "delivered_s": round(time.monotonic() - start, 1),
        }
        trial.judge(world)


def _connect(url: str) -> http.client.HTTPConnection:
    made = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)
    made.connect()
    return made


def _all_at_once(
    world: World, callers: Sequence[http.client.HTTPConnection], path: str, bodies: Sequence[Any]
) -> list[tuple[int, dict[str, str], Any]]:
    """Send every request before the first answer is read."""
    headers = {
        "Authorization": f"Bearer {world.publisher_key}",
        "Content-Type": "application/json",
    }
    encoded = [json.dumps(one) for one in bodies]
    for caller, body in zip(callers, encoded, strict=True):
        caller.request("POST", f"/api/v1{path}", body, headers)
    return [_read(one.getresponse()) for one in callers]


def _read(response: http.client.HTTPResponse) -> tuple[int, dict[str, str], Any]:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return response.status, headers, json.loads(response.read())


SCENARIOS = (
    Scenario(
        24,
        "100 parallel publishes with one key",
        "one event for each key, the same answer to all",
        race,
    ),
    Scenario(
        29,
        "a burst of 5,000 events in a second",
        "all acked or 429 with Retry-After; acked delivered ≤ 2 min",
        burst,
    ),
)
