"""Processes that are killed: workers at random (1), the API (2), anyone at a named point (3)."""

import time

from tests.torture import faults, ledger
from tests.torture.publishing import Stream, publish, publish_all
from tests.torture.trial import Scenario, Trial
from tests.torture.world import DELIVERS, Keeper, World

_KILL_EVERY_S = 0.3
_WORK_BETWEEN_KILLS = 20  # on a machine that is too busy to get anything done in 300 ms
_LANES = 8


def kill_workers(trial: Trial) -> None:
    """Two workers; one of them is killed every 300 ms until everything has arrived."""
    slots = 32
    events = trial.sized(1250, least=40)
    with trial.world(settings={"RELAIS_WORKER_SLOTS": str(slots)}) as world:
        world.start_api()
        world.subscribe(*(f"s{number}" for number in range(_LANES)), query="?delay=0.02")
        publish_all(world, range(1, events + 1))
        start = time.monotonic()
        keepers = [Keeper(world, lambda: world.start_worker(waits=False)) for _ in range(2)]
        kills = _kill_until_arrived(trial, world, keepers, events * _LANES)
        for one in keepers:
            one.stop()
        world.wait_for_quiet(60 + 2 * world.lease_s)
        took = time.monotonic() - start
        trial.facts |= {"kills": kills, "done_s": round(took, 1)}
        trial.require(took <= 300, f"done in {took:.0f} s, allowed 300")
        trial.judge(world, duplicates=kills * slots)


def _kill_until_arrived(trial: Trial, world: World, keepers: list[Keeper], total: int) -> int:
    kills = killed_at = 0
    watch = ledger.Watch(world.arrived)
    deadline = time.monotonic() + max(60.0, 240 * trial.scale)
    while (arrived := watch.count()) < total and time.monotonic() < deadline:
        time.sleep(_KILL_EVERY_S)
        # To kill one that only just starts would prove nothing.
        working = [one.child for one in keepers if one.child.seen(DELIVERS) is not None]
        running = [one for one in working if one.is_running]
        if running and arrived >= killed_at + _WORK_BETWEEN_KILLS:
            trial.chance.choice(running).kill()
            killed_at, kills = arrived, kills + 1
        trial.say(f"{arrived} of {total} arrived, {kills} kills")
    trial.require(kills > 0, "nothing was killed")
    return kills


def kill_api(trial: Trial) -> None:
    """The API is killed again and again while 200 events a second come in."""
    kills = trial.sized(100, least=5)
    with trial.world() as world:
        keeper = Keeper(world, world.start_api)
        world.subscribe("s1")
        world.start_worker()
        stream = Stream(world, per_second=200, gives_up_every=10).start()
        for number in range(kills):
            trial.say(f"{number} of {kills} kills, {stream.count} accepted")
            keeper.wait_until_it_runs()
            enough = stream.count + trial.chance.randint(1, 40)
            world.wait_until(lambda: stream.count >= enough, 30, "events accepted")  # noqa: B023 - waits here
            keeper.child.kill()
        keeper.stop()
        if not keeper.child.is_running:
            world.start_api()
        stream.stop()
        world.wait_for_quiet()
        trial.facts |= {"kills": kills, "answers": dict(sorted(stream.answers.items()))}
        trial.require(stream.count > kills, f"only {stream.count} events were accepted")
        trial.judge(world)


def crash_points(trial: Trial) -> None:
    """A process ends itself at each named point; duplicates only after the sending."""
    each = trial.sized(20, least=2)
    for point in faults.CRASH_POINTS:
        trial.say(f"{point}, {each} times")
        crash = _crash_api if point.endswith("_commit") else _crash_worker
        crash(trial, point, each)
    trial.facts["crashes"] = each * len(faults.CRASH_POINTS)


def _crash_api(trial: Trial, point: str, times: int) -> None:
    with trial.world() as world:
        plan = lambda: {"point": point, "after": trial.chance.randint(1, 4)}  # noqa: E731
        keeper = Keeper(world, lambda: world.start_api(crash=plan()))
        world.subscribe("s1")
        world.start_worker()
        api, n = world.publisher(), 0
        while len(keeper.ended) < times:
            n += 1
            while not publish(world, api, n).is_success:
                time.sleep(0.02)
        keeper.stop().kill()
        world.start_api()
        world.wait_for_quiet()
        _require_crashes(trial, keeper, times, point)
        trial.judge(world)


def _crash_worker(trial: Trial, point: str, times: int) -> None:
    """One slot, so that what is on the network at the crash is exactly one delivery."""
    duplicates = times if point in ("after_send", "before_result") else 0
    with trial.world(settings={"RELAIS_WORKER_SLOTS": "1"}, lease_s=0.5) as world:
        world.start_api()
        world.subscribe("s1")
        publish_all(world, range(1, 2 * times + 1))
        ended = []
        while len(ended) < times:
            plan = {"point": point, "after": 1 + len(ended) % 3}
            publish_all(world, range(1_000 * (len(ended) + 1), 1_000 * (len(ended) + 1) + 2))
            worker = world.start_worker(waits=False, crash=plan)
            worker.wait()
            ended.append(worker)
        codes = {one.status for one in ended}
        trial.require(codes == {-9}, f"{point}: ended with {codes}")
        world.start_worker()
        world.wait_for_quiet()
        found = trial.judge(world, duplicates=duplicates)
        trial.facts[f"dup_{point}"] = found.duplicates


def _require_crashes(trial: Trial, keeper: Keeper, times: int, point: str) -> None:
    codes = {one.status for one in keeper.ended[:times]}
    trial.require(codes == {-9}, f"{point}: ended with {codes}")


SCENARIOS = (
    Scenario(
        1,
        "kill -9 a worker every 300 ms",
        "lost 0, phantom 0, duplicates ≤ kills × slots, done ≤ 5 min, database whole",
        kill_workers,
    ),
    Scenario(
        2,
        "kill -9 the API during ingest",
        "each acked event delivered; unacked: 0 or 1 copy; same key: 1 event",
        kill_api,
    ),
    Scenario(
        3,
        "kill -9 at six named points",
        "lost 0; duplicates only between the sending and the commit of its result",
        crash_points,
    ),
)
