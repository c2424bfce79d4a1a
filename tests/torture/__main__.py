"""`python -m tests.torture`: run the scenarios, show progress, print the table.

With CI set, a scenario that cannot run here has failed.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.torture.children import Nursery
from tests.torture.scenarios import SCENARIOS
from tests.torture.trial import ENGINES, Result, Trial, attempt

_COLUMNS = ("acked", "deliveries", "arrived", "lost", "phantom", "duplicates", "doubled")
_LAST = ("wrong_bytes", "bad_signatures")


def main() -> int:
    options = _options()
    results = []
    with Nursery() as nursery:
        for number in options.scenario or SCENARIOS:
            scenario = SCENARIOS[number]
            for engine in scenario.engines:
                if engine in options.engine:
                    trial = Trial(
                        nursery, engine, scale=options.scale, seed=options.seed, is_quiet=False
                    )
                    results.append(attempt(scenario, trial))
                    _show(results[-1])
    _write(table(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in results], indent=1))
    return int(not all(_is_fine(one) for one in results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--scenario", type=int, action="append", choices=list(SCENARIOS))
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--scale", type=float, default=1.0, help="1: the sizes of docs/proofs.md")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the results into this file too")
    options = parser.parse_args()
    options.engine = options.engine or ENGINES
    return options


def _show(result: Result) -> None:
    verdict = "ok" if result.has_passed else "skipped" if result.skipped else "BROKEN"
    facts = ", ".join(f"{name} {value}" for name, value in result.facts.items())
    where = f"{result.number:>2} {result.name}, {result.engine}"
    _write(f"{verdict:7} {where} ({result.seconds} s) {facts}")
    for line in (*result.broken, result.skipped):
        if line:
            _write(f"        {line}")


def table(results: Sequence[Result]) -> str:
    """Return the results as the table of docs/proofs.md."""
    names = (*_COLUMNS, *_LAST)
    head = ("", "scenario", "engine", "s", *(name.replace("_", " ") for name in names), "")
    rows = [head, ("--:", "---", "---", *("--:" for _ in (*names, "s")), "---")]
    for one in results:
        counts = [str(getattr(one.findings, name)) for name in names]
        verdict = "ok" if one.has_passed else "skipped" if one.skipped else "BROKEN"
        rows.append((str(one.number), one.name, one.engine, f"{one.seconds:.0f}", *counts, verdict))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _is_fine(result: Result) -> bool:
    is_ci = bool(os.environ.get("CI"))  # noqa: TID251 - whether CI runs this is no setting
    return result.has_passed or (bool(result.skipped) and not is_ci)


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
