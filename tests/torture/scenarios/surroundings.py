"""What is around a delivery goes wrong: the name servers are gone (19), a body kills (22)."""

import time

from app.core.deliveries import MOST_LOSSES
from tests.torture.publishing import event, publish_all
from tests.torture.trial import Scenario, Trial
from tests.torture.world import Keeper, World

_HOST = "hooks.example.com"
_RESUMES_WITHIN_S = 30.0
_MARKER = "poison-pill"
# How often it can take a worker with it: the losses that are allowed, and the first one.
_MOST_CRASHES = min(10, MOST_LOSSES + 1)
_RESTARTS_WITHIN_S = 2.0


def lose_names(trial: Trial) -> None:
    """No name is answered for a while; nobody's attempts are used up by that."""
    outage_s = max(3.0, 15 * min(2.0, trial.scale))
    events = trial.sized(200, least=20)
    with trial.world() as world:
        down = world.folder / "names-are-down"
        port = world.sink.rpartition(":")[2]
        world.settings |= {"RELAIS_ALLOW_HTTP": "true", "RELAIS_ALLOWED_PORTS": port}
        world.start_api()
        world.start_worker(names={"down": str(down), "hosts": {_HOST: "127.0.0.1"}})
        world.subscribe("s1", base=f"http://{_HOST}:{port}")
        down.touch()
        publish_all(world, range(1, events + 1))
        trial.say(f"without names for {outage_s:.0f} s")
        time.sleep(outage_s)
        used = [one["attempt_count"] for one in world.account().pages("/deliveries")]
        trial.require(not any(used), f"{sum(used)} attempts were used up")
        trial.require(world.arrival_count() == 0, "something arrived without a name")
        down.unlink()
        took = world.wait_until(lambda: world.arrival_count() >= events, 60, "all arrived")
        trial.facts |= {"outage_s": round(outage_s), "resumed_s": round(took, 1)}
        trial.require(took <= _RESUMES_WITHIN_S, f"resumed in {took:.1f} s, allowed 30")
        world.wait_for_quiet()
        trial.judge(world)


def poison(trial: Trial) -> None:
    """One delivery crashes the worker whenever it is sent, among many that do not."""
    events = trial.sized(200, least=30)
    with trial.world(lease_s=1.0, settings={"RELAIS_WORKER_SLOTS": "8"}) as world:
        world.start_api()
        world.subscribe("s1", query="?delay=0.01")
        publish_all(world, range(1, events))
        _publish_poison(world, events)
        publish_all(world, range(events + 1, 2 * events))
        keeper = Keeper(world, lambda: world.start_worker(poison=_MARKER))
        world.wait_until(lambda: _open_count(world) <= 1, 60, "the others are delivered")
        trial.say("the others are delivered")
        patience = _MOST_CRASHES * 5 * world.lease_s
        world.wait_until(lambda: _open_count(world) == 0, patience, "the poison is set aside")
        keeper.stop()
        slowest = max(keeper.waits, default=0.0)
        trial.facts |= {"crashes": len(keeper.ended), "restart_s": round(slowest, 2)}
        crashes = len(keeper.ended)
        trial.require(0 < crashes <= _MOST_CRASHES, f"it crashed {crashes} workers")
        trial.require(slowest <= _RESTARTS_WITHIN_S, f"restarted in {slowest:.1f} s")
        [failed] = world.account().pages("/deliveries", state="failed")
        trial.require(failed["outcome"] == "internal", f"its outcome is {failed['outcome']}")
        trial.judge(world, duplicates=_MOST_CRASHES * 8)


def _publish_poison(world: World, n: int) -> None:
    world.ledger.about_to_send(n)
    made = event(n)
    made["data"]["full_name"] = _MARKER
    answer = world.publisher().call("POST", "/events", made)
    assert answer.status == 202, answer.document
    world.ledger.accepted({n: answer.document["id"]})


def _open_count(world: World) -> int:
    api = world.account()
    return sum(len(api.get("/deliveries", state=one)["data"]) for one in ("pending", "sending"))


SCENARIOS = (
    Scenario(
        19,
        "the name servers are gone",
        "no attempt used up, resumed ≤ 30 s",
        lose_names,
    ),
    Scenario(
        22,
        "a delivery that crashes the worker",
        "set aside after a few crashes (failed, internal), all others arrive, restart ≤ 2 s",
        poison,
    ),
)
