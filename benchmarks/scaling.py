"""What one, two and four workers deliver from one PostgreSQL, and what each process pays.

    python -m benchmarks.scaling [--rounds 3] [--events 4000]

Everything runs on this machine, so the curve ends where its cores do. What goes on is the
CPU that a delivery costs in each process: docs/scaling.md calculates with it.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.deployment import RELAIS, Account, relais
from benchmarks.postgres import Server, server
from benchmarks.processes import CpuClock, started
from benchmarks.receiver import Receiver, receiver

WORKERS = (1, 2, 4)
FAN_OUT = 5
_PATIENCE_S = 120.0
_SETTINGS = {"RELAIS_ALLOWED_NETWORKS": "127.0.0.0/8", "RELAIS_LOG_LEVEL": "error"}
_GROUPS = ("workers", "database", "api", "sink")


def main() -> None:
    """Measure every number of workers in each round, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=4000)
    options = parser.parse_args()
    found: dict[int, list[dict[str, float]]] = {count: [] for count in WORKERS}
    with server() as database, receiver() as sink:
        for _ in range(options.rounds):
            for count in WORKERS:
                found[count].append(_measure(database, sink, count, options.events))
    print(_table(found))


def _measure(database: Server, sink: Receiver, count: int, events: int) -> dict[str, float]:
    """Return deliveries per second, and the µs of CPU per delivery of each group."""
    deliveries = events * FAN_OUT
    with _deployment(database, count) as (account, groups):
        account.subscribe(sink.url, FAN_OUT)
        _deliver(account, sink, 500)  # every process has done everything once
        clock = CpuClock({**groups, "database": database.pid, "sink": sink.pid})
        start = time.monotonic()
        _deliver(account, sink, events)
        took = time.monotonic() - start
        used = clock.seconds()
    workers = sum(one for name, one in used.items() if name.startswith("worker"))
    cost = {name: used.get(name, workers) / deliveries * 1e6 for name in _GROUPS}
    return {"rate": deliveries / took, **cost}


def _deliver(account: Account, sink: Receiver, events: int) -> None:
    account.publish(events)
    account.wait_settled(events * FAN_OUT, _PATIENCE_S)
    assert sink.take().count == events * FAN_OUT, "lost or repeated"


@contextlib.contextmanager
def _deployment(database: Server, count: int) -> Iterator[tuple[Account, dict[str, int]]]:
    """Run an API process and so many workers; give an account, and the processes by name."""
    url = database.new_database()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with relais(url, folder=folder):
            pass  # the first start makes the tables and the keys
        api = stack.enter_context(relais(url, folder=folder, command="api"))
        groups = {"api": api.process.pid}
        command = [RELAIS, "worker", "--data", str(folder)]
        for number in range(count):
            settings = {**_SETTINGS, "RELAIS_DATABASE_URL": url}
            worker = stack.enter_context(started(command, folder / "worker.log", **settings))
            assert worker.stdout
            worker.stdout.readline()
            groups[f"worker{number}"] = worker.pid
        yield api.account("scaling"), groups


def _table(found: dict[int, list[dict[str, float]]]) -> str:
    lines = [
        "| workers | deliveries/s | µs per delivery: workers | database | API | receiver |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for count, runs in found.items():
        median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        costs = " | ".join(f"{median[name]:.0f}" for name in _GROUPS)
        lines.append(f"| {count} | {median['rate']:,.0f} | {costs} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
