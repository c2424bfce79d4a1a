"""The wall clock jumps (17): an hour forth, an hour back, four hundred days, into summer time."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.torture import ledger
from tests.torture.ledger import Arrival
from tests.torture.publishing import publish_all
from tests.torture.trial import Scenario, Trial
from tests.torture.world import World

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_ANSWER_S = 0.8
_SLOTS = 8
_CALM_S = 3.0  # the first retry is due 5 s after the first attempt
_TIMESTAMP_WITHIN_S = 10.0
_LATE = 1_000


def jump(trial: Trial) -> None:
    """A worker dies with requests on the network, and the clock of all processes jumps."""
    for name, seconds in _jumps().items():
        trial.say(name)
        _jump(trial, name, seconds)
    trial.facts["jumps"] = len(_jumps())


def _jumps() -> dict[str, float]:
    return {
        "+1 h": _HOUR_S,
        "-1 h": -_HOUR_S,
        "+400 d": 400 * _DAY_S,
        "summer time": _to_summer_time().total_seconds(),
    }


def _to_summer_time() -> timedelta:
    """Return how far it is to two seconds before the next summer time in Europe."""
    now = datetime.now(UTC)  # noqa: TID251 - the driver's watch
    for year in (now.year, now.year + 1):
        last = datetime(year, 3, 31, 1, tzinfo=UTC)
        change = last - timedelta(days=(last.weekday() + 1) % 7, seconds=2)
        if change > now:
            return change - now
    raise AssertionError("there is a summer every year")


def _jump(trial: Trial, name: str, seconds: float) -> None:
    lease_s = 4.0
    settings = {"RELAIS_WORKER_SLOTS": str(_SLOTS), "TZ": "Europe/Paris"}
    with trial.world(lease_s=lease_s, settings=settings) as world:
        clock = world.folder / "clock"
        clock.write_text("0")
        world.start_api(clock=str(clock))
        world.subscribe("s1", query=f"?delay={_ANSWER_S}")
        world.subscribe("refuses", query="?status=500")
        worker = world.start_worker(clock=str(clock))
        publish_all(world, range(1, 21))
        world.wait_until(lambda: _of(world, "refuses") >= 10, 30, "first attempts refused")
        world.wait_until(lambda: _of(world, "s1") >= 4, 30, "requests on the network")
        worker.kill()
        held = _held(world)
        _set(clock, seconds)
        jumped_at = time.time()  # noqa: TID251 - the receiver's watch
        world.start_worker(clock=str(clock))
        publish_all(world, range(_LATE, _LATE + 10))
        _require_leases_end(trial, world, name, held, 2 * lease_s)
        time.sleep(max(0.0, jumped_at + _CALM_S - time.time()))  # noqa: TID251
        found = ledger.arrivals(world.arrived)
        _require_no_storm(trial, found, jumped_at, name)
        _require_real_time(trial, found, jumped_at, seconds, name)
        _finish(trial, world, clock, max(seconds, 0.0))


def _held(world: World) -> set[str]:
    """Return the deliveries that somebody has a lease of."""
    return {one["id"] for one in world.account().pages("/deliveries", state="sending")}


def _require_leases_end(
    trial: Trial, world: World, name: str, held: set[str], allowed_s: float
) -> None:
    """What the dead worker held is taken over, however far the end of its lease seems."""
    trial.facts[f"held {name}"] = len(held)
    trial.require(bool(held), f"{name}: nothing was held when the worker died")
    try:
        world.wait_until(lambda: not held & _held(world), allowed_s, "taken over")
    except AssertionError:
        count = len(held & _held(world))
        trial.require(False, f"{name}: {count} of {len(held)} leases live longer than two")


def _require_no_storm(trial: Trial, found: list[Arrival], jumped_at: float, name: str) -> None:
    """A clock that jumps forth makes what waits due once; never twice."""
    calm = [one for one in found if jumped_at < one.at < jumped_at + _CALM_S]
    after = Counter(one.delivery for one in calm if one.lane == "refuses")
    often = max(after.values(), default=0)
    trial.require(often <= 1, f"{name}: a refused delivery was sent {often} times at once")


def _require_real_time(
    trial: Trial, found: list[Arrival], jumped_at: float, seconds: float, name: str
) -> None:
    wrong = [one for one in found if _is_off(one, seconds if one.at > jumped_at else 0.0)]
    trial.require(not wrong, f"{name}: {len(wrong)} signatures with another time than the clock's")


def _is_off(one: Arrival, shift: float) -> bool:
    return abs(float(one.timestamp) - (one.at + shift)) > _TIMESTAMP_WITHIN_S


def _finish(trial: Trial, world: World, clock: Path, seconds: float) -> None:
    """Let everything that still waits fall due, and look whether all is there."""
    _set(clock, seconds + 2 * _HOUR_S)
    world.account().call("DELETE", f"/subscriptions/{world.subscriptions['refuses']}")
    world.wait_for_quiet(30)
    found = ledger.arrivals(world.arrived)
    refused = Counter(one.delivery for one in found if one.lane == "refuses")
    retries = sum(refused.values()) - len(refused)
    trial.judge(world, duplicates=_SLOTS + retries, lanes=["s1"])


def _set(clock: Path, seconds: float) -> None:
    """Write it whole: a process may read at any moment."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.replace(clock)


def _of(world: World, lane: str) -> int:
    return len({one.delivery for one in ledger.arrivals(world.arrived) if one.lane == lane})


SCENARIOS = (
    Scenario(
        17,
        "the wall clock jumps",
        "no lease lives longer than two; no storm of early retries; signatures carry the time",
        jump,
    ),
)
