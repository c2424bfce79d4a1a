"""The sender alone: `benchmarks/sender.py`, in a process of its own."""

import json
import subprocess
from typing import Any

from benchmarks.bench import Bench
from benchmarks.processes import ROOT, python
from benchmarks.rounds import Contestant, Run

TITLE = "The sender alone: signed and guarded requests of 1 KB to 50 hosts"
_SCRIPT = ROOT / "benchmarks" / "sender.py"
_PATIENCE_S = 60


def measure(bench: Bench) -> dict[str, Any]:
    """Run it once per round."""
    one = Contestant(name="CurlSender", run=_run, warm_up=None)
    return {"title": TITLE, "rows": bench.play([one]), "skipped": {}}


def _run(_size: int) -> Run:
    done = subprocess.run(
        python(str(_SCRIPT), "--json", "--runs=1"),
        check=False,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return Run(figures=json.loads(done.stdout))
