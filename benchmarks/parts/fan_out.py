"""Fan-out: one event to one, to twenty and to a thousand subscriptions."""

from functools import partial
from typing import Any

from benchmarks.bench import Bench
from benchmarks.end_to_end import batched
from benchmarks.rounds import Contestant

TITLE = "Fan-out: deliveries per second by subscriptions per event"
_FAN_OUTS = (1, 20, 1000)


def measure(bench: Bench) -> dict[str, Any]:
    """Measure on SQLite, each fan-out with an account of its own in one deployment."""
    receiver, deployment = bench.receiver(), bench.relais("SQLite")
    contestants = []
    for count in _FAN_OUTS:
        account = deployment.account(f"fan-out-{count}").subscribe(receiver.url, count)
        contestants.append(
            Contestant(
                name=f"1 → {count:,}, SQLite",
                run=partial(batched, account, receiver, pids={}),
                warm_up=max(500, 2 * count),
                step=count,
            )
        )
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": {}}
