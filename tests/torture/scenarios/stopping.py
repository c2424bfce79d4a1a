"""Processes that are stopped: asked to (4), or frozen and woken again (5)."""

import signal
import time

from tests.torture import ledger
from tests.torture.publishing import Stream, publish_all
from tests.torture.trial import Scenario, Trial
from tests.torture.world import Keeper, World

_SLOTS = 32
_STOPS_WITHIN_S = 20.0
_TAKES_OVER_WITHIN_S = 5.0
_FIRST_OF_SECOND_PART = 100_000


def stop_under_load(trial: Trial) -> None:
    """A worker is asked to stop, again and again, with requests on the network; so is the API."""
    rounds = trial.sized(10, least=2)
    with trial.world(settings={"RELAIS_WORKER_SLOTS": str(_SLOTS)}) as world:
        api = Keeper(world, world.start_api)
        world.subscribe("s1", "s2", query="?delay=0.3")
        stream = Stream(world, per_second=60).start()
        stops = []
        for number in range(rounds):
            trial.say(f"{number} of {rounds} stops")
            stops.append(_stop_worker(trial, world))
            api.wait_until_it_runs()
            _stop_api(api)
        world.start_worker()
        world.wait_until(lambda: len(api.ended) == rounds, 30, "every end of the API seen")
        api.wait_until_it_runs()
        stream.stop()
        api.stop()
        world.wait_for_quiet()
        trial.facts |= {"stops": rounds, "slowest_s": round(max(stops), 2)}
        codes = {one.status for one in api.ended}
        trial.require(codes == {0}, f"the API ended with {codes}")
        trial.judge(world, duplicates=0)


def _stop_api(api: Keeper) -> None:
    asked = api.child
    asked.send(signal.SIGTERM)
    asked.wait()


def _stop_worker(trial: Trial, world: World) -> float:
    worker = world.start_worker()
    before = world.arrival_count()
    world.wait_until(lambda: world.arrival_count() > before + 10, 30, "requests under way")
    start, asked_at = time.monotonic(), time.time()  # noqa: TID251 - the receiver's watch
    worker.send(signal.SIGTERM)
    code = worker.wait()
    took = time.monotonic() - start
    late = [one for one in ledger.arrivals(world.arrived) if one.at > asked_at]
    trial.require(code == 0, f"the worker ended with {code}")
    trial.require(took <= _STOPS_WITHIN_S, f"the stop took {took:.1f} s")
    # It finishes what it held; one that went on claiming would send many times that.
    trial.require(len(late) <= _SLOTS, f"{len(late)} requests began after the stop")
    return took


def freeze(trial: Trial) -> None:
    """A worker is frozen for two leases with requests on the network, and wakes up late."""
    slots = 16
    lease_s = 2.0 if trial.scale < 1 else 5.0
    with trial.world(settings={"RELAIS_WORKER_SLOTS": str(slots)}, lease_s=lease_s) as world:
        world.start_api()
        lanes = [f"s{number}" for number in range(4)]
        world.subscribe(*lanes, query="?delay=0.4")
        publish_all(world, range(1, trial.sized(100, least=10) + 1))
        frozen = world.start_worker()
        world.wait_until(lambda: world.arrival_count() >= slots, 30, "a full worker")
        frozen.send(signal.SIGSTOP)
        start = time.monotonic()
        world.start_worker()
        trial.say("frozen")
        _take_over(trial, world, start, lease_s)
        time.sleep(max(0.0, start + 2 * lease_s - time.monotonic()))
        _wake(trial, world, frozen)
        trial.judge(world, duplicates=slots)


def _take_over(trial: Trial, world: World, start: float, lease_s: float) -> None:
    """What is held by the frozen worker is the last that settles."""
    world.wait_for_quiet()
    took = time.monotonic() - start
    trial.facts["taken_over_s"] = round(took, 1)
    allowed = lease_s + _TAKES_OVER_WITHIN_S
    trial.require(took <= allowed, f"taken over in {took:.1f} s, allowed {allowed}")


def _wake(trial: Trial, world: World, frozen) -> None:
    """Let it go on: its results come too late, and change nothing that is settled."""
    before = _stories(world)
    frozen.send(signal.SIGCONT)
    held = len([one for one in ledger.arrivals(world.arrived) if one.at])
    publish_all(world, range(_FIRST_OF_SECOND_PART, _FIRST_OF_SECOND_PART + 20))
    world.wait_until(lambda: world.arrival_count() >= held + 20, 30, "it works again")
    world.wait_for_quiet()
    after = _stories(world)
    changed = [one for one, story in before.items() if after[one] != story]
    refused = frozen.log.count("lease_lost")
    trial.facts["results_refused"] = refused
    trial.require(not changed, f"{len(changed)} settled deliveries changed when it woke up")
    trial.require(refused > 0, "no result of the frozen worker was refused")


def _stories(world: World) -> dict[str, tuple[object, ...]]:
    told = ("state", "attempt_count", "settled_at", "next_attempt_at")
    pages = world.account().pages("/deliveries")
    return {one["id"]: tuple(one[name] for name in told) for one in pages}


SCENARIOS = (
    Scenario(
        4,
        "SIGTERM under load",
        "no new claim, in flight finished ≤ 20 s, exit 0, lost 0, duplicates 0",
        stop_under_load,
    ),
    Scenario(
        5,
        "SIGSTOP for two leases, then SIGCONT",
        "taken over ≤ lease + 5 s; the late results are refused by the fence",
        freeze,
    ),
)
