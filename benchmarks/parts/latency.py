"""From accepted to arrived, at a steady rate of single publishes."""

from functools import partial
from typing import Any

from benchmarks.bench import Bench
from benchmarks.deployment import Account
from benchmarks.end_to_end import PATIENCE_S, REACHED, ids_of, percentile, reached, waits_ms
from benchmarks.load import Load
from benchmarks.processes import CpuClock
from benchmarks.receiver import Receiver
from benchmarks.rounds import Contestant, Run

TITLE = "Accepted → arrived, at 200 events/s published one by one"
RATE = 200
CLIENTS = 16
_SECONDS = 8


def measure(bench: Bench) -> dict[str, Any]:
    """Measure every engine."""
    receiver = bench.receiver()
    contestants = []
    for engine in bench.engines:
        account = bench.relais(engine).account("latency").subscribe(receiver.url)
        steady(account, receiver, RATE)  # warm-up
        contestants.append(
            Contestant(
                name=f"Relais, {engine}",
                run=partial(steady, account, receiver),
                warm_up=None,
                size=RATE * _SECONDS,
            )
        )
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": bench.skipped}


def steady(account: Account, receiver: Receiver, events: int) -> Run:
    """Publish so many events at the rate, and say how long they were under way."""
    receiver.take()
    clock = CpuClock({"relais": account.deployment.process.pid})
    with Load(account.deployment.url, CLIENTS) as load:
        exchanges = load.paced(account.singles(events), RATE)
    count = events * len(account.paths)
    receiver.wait_for(count, PATIENCE_S)
    account.wait_settled(count, PATIENCE_S)
    used = clock.seconds()
    arrivals = receiver.take()
    arrivals.verify(ids_of(exchanges), account.paths)
    accepted, due = waits_ms(exchanges, arrivals, account.paths)
    return Run(
        figures={
            "p50 ms": percentile(accepted, 0.5),
            "p99 ms": percentile(accepted, 0.99),
            "due → arrived p50 ms": percentile(due, 0.5),
            "due → arrived p99 ms": percentile(due, 0.99),
            REACHED: reached(exchanges),
        },
        cpu_us={name: 1e6 * seconds / count for name, seconds in used.items()},
    )
