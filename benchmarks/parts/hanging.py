"""Receivers that hang: what a tenth of the traffic does to the rest of it."""

from collections.abc import Iterator
from functools import partial
from itertools import chain, count, cycle, islice
from typing import Any

from benchmarks.bench import Bench
from benchmarks.deployment import Account, Deployment
from benchmarks.end_to_end import PATIENCE_S, REACHED, percentile, reached, waits_ms
from benchmarks.load import Load
from benchmarks.receiver import Receiver
from benchmarks.rounds import Contestant, Run

TITLE = "Receivers that hang: 500 deliveries/s offered, 450 of them to healthy ones"
_PER_SECOND = 500
_BATCH = 20
_SECONDS = 16  # longer than an attempt may take
_HEALTHY = 9
_CLIENTS = 16
_names = count(1)


def measure(bench: Bench) -> dict[str, Any]:
    """Measure nine healthy receivers beside one more that is healthy, or hangs, or 50 that do."""
    healthy, other = bench.receiver(), bench.receiver("127.0.0.2")
    contestants = [
        Contestant(
            name=name,
            run=partial(_run, bench.relais("SQLite"), healthy, other, hanging),
            warm_up=None,
            size=_PER_SECOND * _SECONDS,
        )
        for name, hanging in (
            ("all healthy", 0),
            ("10 % to one that hangs", 1),
            ("10 % to 50 that hang", 50),
        )
    ]
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": {}}


def _run(
    deployment: Deployment, healthy: Receiver, other: Receiver, hanging: int, events: int
) -> Run:
    """Publish to ten parts; the tenth goes to the other receiver, which may hang."""
    run = next(_names)
    good = [
        deployment.account(f"good-{run}-{number}").subscribe(healthy.url)
        for number in range(_HEALTHY)
    ]
    kind = "hang" if hanging else "to"
    bad = [
        deployment.account(f"bad-{run}-{number}").subscribe(other.url, kind=kind)
        for number in range(hanging or 1)
    ]
    healthy.take()
    with Load(deployment.url, _CLIENTS) as load:
        exchanges = load.paced(_mixed(deployment, good, bad, events), _PER_SECOND / _BATCH)
    wanted = events * _HEALTHY // (_HEALTHY + 1)
    healthy.wait_for(wanted, PATIENCE_S)
    arrivals = healthy.take()
    for one in [*good, *bad]:
        one.unsubscribe()
    assert len(arrivals.first) == arrivals.count == wanted, "lost or duplicate deliveries"
    paths = [path for one in good for path in one.paths]
    accepted, due = waits_ms(exchanges, arrivals, paths)
    return Run(
        figures={
            "p50 ms": percentile(accepted, 0.5),
            "p99 ms": percentile(accepted, 0.99),
            "due → arrived p99 ms": percentile(due, 0.99),
            REACHED: reached(exchanges),
        }
    )


def _mixed(
    deployment: Deployment, good: list[Account], bad: list[Account], events: int
) -> Iterator[bytes]:
    """Return requests that publish a batch: nine events to good accounts for one to a bad one."""
    shares = cycle(chain.from_iterable([*good, one] for one in bad))
    for _ in range(events // _BATCH):
        yield deployment.batch(islice(shares, _BATCH))
