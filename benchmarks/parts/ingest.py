"""Ingest alone: events accepted per second, each with one delivery, which nobody sends."""

import json
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.deployment import Account, relais
from benchmarks.end_to_end import BATCH_CLIENTS, PATIENCE_S, SINGLE_CLIENTS
from benchmarks.load import Load
from benchmarks.processes import ROOT, CpuClock, environment, python
from benchmarks.rounds import Contestant, Run

TITLE = "Ingest alone (`relais api`, no worker): events accepted per second, k=1"
_RATE = "events/s"
_NOWHERE = "http://127.0.0.1:9"


def measure(bench: Bench) -> dict[str, Any]:
    """Measure over HTTP on every engine, and in process on SQLite."""
    contestants = []
    for engine in bench.engines:
        folder, database = bench.folder(), bench.database(engine)
        with relais(database, folder=folder) as first:
            account = first.account("ingest").subscribe(_NOWHERE)
        api = bench.stack.enter_context(relais(database, folder=folder, command="api"))
        account.deployment = api
        contestants += _over_http(account, engine, bench)
    folder = bench.folder()
    with relais(folder=folder) as first:
        first.account("ingest").subscribe(_NOWHERE)
    contestants += [
        Contestant(name=f"SQLite, in process, {name}", run=partial(_inside, folder, how), step=step)
        for name, how, step in (
            ("one by one, 1 thread", ["--threads=1"], 8),
            ("one by one, 8 threads", ["--threads=8"], 8),
            ("batches of 100", ["--batch"], 100),
        )
    ]
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": bench.skipped}


def _over_http(account: Account, engine: str, bench: Bench) -> list[Contestant]:
    pids = {"relais": account.deployment.process.pid, **bench.pids(engine)}

    def run(clients: int, size: int) -> Run:
        requests = account.batches(size) if clients == BATCH_CLIENTS else account.singles(size)
        clock, start = CpuClock(pids), time.monotonic()
        with Load(account.deployment.url, clients) as load:
            accepted = sum(len(one.event_ids) for one in load.closed(requests))
        seconds = time.monotonic() - start
        assert accepted == size
        used = {name: 1e6 * one / size for name, one in clock.seconds().items()}
        return Run(figures={_RATE: size / seconds}, cpu_us=used)

    return [
        Contestant(
            name=f"{engine}, HTTP, {name}", run=partial(run, clients), warm_up=300, step=step
        )
        for name, clients, step in (
            ("one by one, 1 client", 1, 1),
            (f"one by one, {SINGLE_CLIENTS} clients", SINGLE_CLIENTS, 1),
            (f"batches of 100, {BATCH_CLIENTS} clients", BATCH_CLIENTS, 100),
        )
    ]


def _inside(folder: Path, how: list[str], size: int) -> Run:
    command = python("-m", "benchmarks.inside", "--data", str(folder), "--account=ingest", *how)
    done = subprocess.run(
        [*command, f"--events={size}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=ROOT,
        env=environment(RELAIS_ALLOWED_NETWORKS="127.0.0.0/8"),
    )
    assert done.returncode == 0, done.stderr[-1000:]
    found = json.loads(done.stdout)
    return Run(
        figures={_RATE: found["events"] / found["seconds"]},
        cpu_us={"relais": 1e6 * found["cpu_seconds"] / found["events"]},
    )
