"""Run the benchmark: all parts, or those that are named. See README.md for the method."""

import argparse
import contextlib
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pycurl

from benchmarks import postgres, report
from benchmarks.bench import Bench, Part, note
from benchmarks.parts import fan_out, growth, hanging, idle, ingest, latency, sender, throughput
from benchmarks.processes import ROOT
from benchmarks.rounds import PROBLEMS

PARTS: dict[str, Part] = {
    "throughput": throughput,
    "latency": latency,
    "ingest": ingest,
    "fan_out": fan_out,
    "sender": sender,
    "hanging": hanging,
    "idle": idle,
    "growth": growth,
}
_PACKAGES = ("sqlalchemy", "psycopg", "flask-smorest", "requests")


def main() -> None:
    """Measure, print the tables, and write the results beside them."""
    options = _options()
    # Whoever ends us early must not leave servers behind: everything is closed on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
    results: dict[str, Any] = {"machine": machine(), "command": _command(), "parts": {}}
    with contextlib.ExitStack() as stack:
        server, why_not = _server(stack)
        results["machine"]["PostgreSQL"] = server.version if server else why_not
        for name in options.only or PARTS:
            note(f"{name}:")
            start = time.monotonic()
            results["parts"][name] = _measure(name, options, server, why_not)
            results["parts"][name]["took_s"] = round(time.monotonic() - start, 1)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    for line in report.tables(results):
        print(line)
    note(f"The figures, as JSON: {options.json}")


def _measure(
    name: str, options: argparse.Namespace, server: postgres.Server | None, why_not: str
) -> dict[str, Any]:
    """Return the results of a part; one that cannot be measured does not end the others."""
    with contextlib.ExitStack() as stack:
        bench = Bench(
            rounds=options.rounds,
            seconds=options.seconds,
            settled=options.settled,
            server=server,
            why_no_server=why_not,
            stack=stack,
        )
        try:
            return PARTS[name].measure(bench)
        except PROBLEMS as problem:
            reason = f"{type(problem).__name__}: {problem}"
            note(f"  {reason}")
            return {"title": PARTS[name].TITLE, "rows": [], "skipped": {"all of it": reason}}


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "system": platform.platform(),
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "load before": " ".join(f"{one:.2f}" for one in os.getloadavg()),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "libcurl": pycurl.version_info()[1],
        **{name: version(name) for name in _PACKAGES},
    }


def _server(stack: contextlib.ExitStack) -> tuple[postgres.Server | None, str]:
    try:
        return stack.enter_context(postgres.server()), ""
    except (LookupError, OSError, subprocess.SubprocessError) as problem:
        return None, f"no PostgreSQL here: {problem}"


def _processor() -> str:
    names = (line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name"))
    return next(names, ": ?").partition(": ")[2]


def _lines(path: Path) -> Iterator[str]:
    yield from path.read_text().splitlines()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    return found.stdout.strip() or "unknown"


def _command() -> str:
    return " ".join(["python -m benchmarks", *sys.argv[1:]])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant [3]")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a run takes [2]")
    parser.add_argument(
        "--settled", type=int, default=10_000_000, help="deliveries in a full store [10000000]"
    )
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench" / "results.json")
    parser.add_argument(
        "--only", type=_names, help=f"parts, separated by commas: {', '.join(PARTS)}"
    )
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no part is named {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    main()
