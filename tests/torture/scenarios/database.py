"""The database goes away (6), or its disk is full (14)."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.postgres import PostgresServer, postgres
from tests.torture import disk
from tests.torture.publishing import Stream
from tests.torture.trial import CannotRun, Scenario, Trial
from tests.torture.world import World

_RECOVERS_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02


def restart_server(trial: Trial) -> None:
    """PostgreSQL is restarted, or killed with all its processes, while events come in."""
    try:
        _restart_server(trial)
    finally:  # the scenarios after this one need it
        with contextlib.suppress(subprocess.CalledProcessError):  # it runs
            postgres().start()


def _restart_server(trial: Trial) -> None:
    rounds = trial.sized(8, least=2)
    with trial.world() as world:
        api, worker = world.start_api(), world.start_worker()
        world.subscribe("s1", "s2", query="?delay=0.02")
        stream = Stream(world, per_second=50, threads=4).start()
        recoveries = []
        for number in range(rounds):
            trial.say(f"{number} of {rounds} ends of the server, {stream.count} accepted")
            time.sleep(1)
            (_kill if number % 2 else PostgresServer.stop)(postgres())
            time.sleep(1)
            postgres().start()
            recoveries.append(_recovery(world, stream))
        stream.stop()
        world.wait_for_quiet()
        trial.facts |= {"ends": rounds, "recovery_s": round(max(recoveries), 1)}
        trial.facts["answers"] = dict(sorted(stream.answers.items()))
        slowest = max(recoveries)
        trial.require(slowest <= _RECOVERS_WITHIN_S, f"recovered in {slowest:.1f} s, allowed 5")
        trial.require(set(stream.answers) <= {202, 503}, f"answers {stream.answers}")
        trial.require(stream.answers.get(503, 0) > 0, "nobody noticed that the server was away")
        trial.require(not stream.without_advice, "a 503 without Retry-After")
        trial.require(api.is_running and worker.is_running, "a process of ours ended")
        # What was sent when the server went, and could not be written, is sent again.
        trial.judge(world, duplicates=rounds * 256)


def _recovery(world: World, stream: Stream) -> float:
    """Return how long it took until events are accepted, and delivered, again."""
    accepted, arrived = stream.count, world.arrival_count()
    return world.wait_until(
        lambda: stream.count > accepted + 4 and world.arrival_count() > arrived,
        30,
        "accepted and delivered again",
    )


def _kill(server: PostgresServer) -> None:
    """Kill the server and every process of it, and wait until they are gone."""
    lock = server.folder / "data" / "postmaster.pid"
    main = int(lock.read_text().split("\n")[0])
    pids = [main, *_children(main)]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(_is_alive(pid) for pid in pids):
        time.sleep(_LOOK_EVERY_S)
    # They name a process that nobody may have buried, which is then taken for alive.
    for left in (lock, *server.folder.glob(".s.PGSQL.*.lock")):
        left.unlink()


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = path.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(path.parent.name))
    return found


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def fill_disk(trial: Trial) -> None:
    """The disk of SQLite fills up while events come in, stays full, and grows again."""
    try:
        with trial.world(small_disk=True) as world:
            _fill_disk(trial, world)
    except disk.NoMountsError as reason:
        raise CannotRun(str(reason)) from reason


def _fill_disk(trial: Trial, world: World) -> None:
    api, worker = world.start_api(), world.start_worker()
    world.subscribe("s1")
    stream = Stream(world, per_second=400, threads=4).start()
    full = {503, 507}
    world.wait_until(lambda: full & set(stream.answers), 90, "the disk is full")
    before_full = stream.count
    time.sleep(5 * min(1.0, trial.scale))
    trial.facts["accepted_before"] = before_full
    trial.facts["answers"] = dict(sorted(stream.answers.items()))
    trial.require(api.is_running and worker.is_running, "a process of ours ended")
    trial.require(set(stream.answers) <= {202} | full, f"answers {stream.answers}")
    disk.grow(world.data)
    accepted = stream.count
    took = world.wait_until(lambda: stream.count > accepted + 10, 30, "events accepted again")
    stream.stop()
    world.wait_for_quiet()
    trial.facts["recovery_s"] = round(took, 1)
    # A result that cannot be written keeps no lease: those requests are made again.
    trial.judge(world, duplicates=stream.count)


SCENARIOS = (
    Scenario(
        6,
        "PostgreSQL is restarted and killed",
        "lost 0; 503 with Retry-After meanwhile; back ≤ 5 s, no restart of ours",
        restart_server,
        engines=("postgresql",),
    ),
    Scenario(
        14,
        "the disk is full",
        "503 or 507, no ack without its row, alive, recovers with the space, database whole",
        fill_disk,
        engines=("sqlite",),
    ),
)
