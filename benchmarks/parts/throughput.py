"""Deliveries per second, end to end, beside the references, in the same rounds."""

from functools import partial
from typing import Any

from benchmarks import references
from benchmarks.bench import Bench
from benchmarks.deployment import Account, Deployment
from benchmarks.end_to_end import batched, one_by_one
from benchmarks.receiver import Receiver
from benchmarks.rounds import Contestant

TITLE = "End to end: publish → received → settled"


def measure(bench: Bench) -> dict[str, Any]:
    """Measure Relais on every engine, the naive designs, drf-hooks, and the raw rate of wrk."""
    receiver, folder = bench.receiver(), bench.folder()
    skipped, contestants = dict(bench.skipped), []
    for engine in bench.engines:
        contestants += _relais(bench, engine, bench.relais(engine), receiver)
    body = references.body_file(folder, receiver.sample())
    rivals = []
    for engine in bench.engines:
        rivals += references.naive(
            engine, bench.database(engine) or references.scratch(folder, "naive")
        )
    try:
        rivals.append(references.drf_hooks(references.scratch(folder, "drf")))
    except LookupError as problem:
        skipped["drf-hooks"] = str(problem)
    pids = bench.pids("PostgreSQL") if bench.server else {}
    contestants += references.contestants(rivals, receiver, body, pids)
    try:
        run = references.wrk(receiver, body)
        contestants.append(Contestant(name="wrk to the sink", run=run, warm_up=None))
    except LookupError as problem:
        skipped["wrk"] = str(problem)
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": skipped}


def _relais(
    bench: Bench, engine: str, deployment: Deployment, receiver: Receiver
) -> list[Contestant]:
    pids = bench.pids(engine)
    one, five = deployment.account("one"), deployment.account("five")
    one.subscribe(receiver.url)
    five.subscribe(receiver.url, 5)
    _try_out(one, receiver)
    return [
        Contestant(
            name=f"Relais, {engine}, k=1, batches of 100",
            run=partial(batched, one, receiver, pids=pids),
            step=100,
        ),
        Contestant(
            name=f"Relais, {engine}, k=5, batches of 100",
            run=partial(batched, five, receiver, pids=pids),
            step=500,
        ),
        Contestant(
            name=f"Relais, {engine}, k=1, one by one, 32 clients",
            run=partial(one_by_one, one, receiver, pids=pids),
        ),
    ]


def _try_out(account: Account, receiver: Receiver) -> None:
    """Deliver one event, so that the sink has a body to show."""
    one_by_one(account, receiver, 1, {})
