"""What an idle `relais serve` costs: CPU, and memory."""

import time
from functools import partial
from typing import Any

from benchmarks.bench import Bench
from benchmarks.processes import cpu_seconds, memory_mb, tree
from benchmarks.rounds import Contestant, Run

TITLE = "Idle: `relais serve` with nothing to do"
_SETTLE_DOWN_S = 3.0
_WATCH_S = 10


def measure(bench: Bench) -> dict[str, Any]:
    """Watch a fresh deployment on every engine."""
    contestants = []
    for engine in bench.engines:
        pid = bench.relais(engine).process.pid
        contestants.append(
            Contestant(
                name=f"Relais, {engine}", run=partial(_watch, pid), warm_up=None, size=_WATCH_S
            )
        )
    time.sleep(_SETTLE_DOWN_S)
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": bench.skipped}


def _watch(pid: int, seconds: int) -> Run:
    before = cpu_seconds(pid)
    time.sleep(seconds)
    share = (cpu_seconds(pid) - before) / seconds
    memory = memory_mb(pid)
    return Run(
        figures={
            "% of a core": 100 * share,
            "MB (PSS)": memory["pss"],
            "MB (RSS)": memory["rss"],
            "processes": len(tree(pid)),
        }
    )
