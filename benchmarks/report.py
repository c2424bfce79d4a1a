"""The results as Markdown tables: `python benchmarks/report.py results.json`.

With a page behind it (`… results.json docs/performance.md`), the tables are written into
the page, between its two markers, instead of being printed.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Results = dict[str, Any]
Row = dict[str, Any]
Judged = tuple[str, str, float, bool]
_REFERENCES = {
    "naive": "naive: job per delivery, requests, {engine}",
    "pooled": "threads, pooled requests, batched commits, {engine}",
}
_RATE = "deliveries/s"
_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"
_WORKING = ("relais", "reference", "database")
_IN_TIME = 95  # percent of an offered rate


def tables(results: Results) -> Iterator[str]:
    """Yield the lines of the report: ratios and bars first, then what was measured."""
    if "throughput" in results["parts"]:
        yield from _section("Ratios", _ratios(results))
    yield from _section("Bars", _bars(results))
    for part in results["parts"].values():
        yield from _section(part["title"], _figures(part))
    yield from _section("Machine", _machine(results))


def main() -> None:
    """Print the tables of a file of results, or write them into a page."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    text = "\n".join(tables(json.loads(Path(sys.argv[1]).read_text())))
    if len(sys.argv) == 2:  # noqa: PLR2004 - the program and the results
        print(text)
        return
    page = Path(sys.argv[2])
    before, begin, rest = page.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise SystemExit(f"{page} has no markers {_BEGIN} and {_END}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield from lines
    yield ""


# The figures of a part.


def _figures(part: dict[str, Any]) -> Iterator[str]:
    rows = [row for row in part["rows"] if "figures" in row]
    names = list(dict.fromkeys(name for row in rows for name in row["figures"]))
    groups = list(dict.fromkeys(name for row in rows for name in row["cpu_us"]))
    if rows:
        yield _row(["", *names, *(f"CPU µs, {one}" for one in groups)])
        yield _row(["---", *["---:"] * (len(names) + len(groups))])
    for row in rows:
        measured = [_spread(row["figures"].get(name)) for name in names]
        yield _row([row["name"], *measured, *(_cpu(row["cpu_us"].get(one)) for one in groups)])
    reasons = {row["name"]: row["failure"] for row in part["rows"] if "failure" in row}
    for name, reason in {**reasons, **part["skipped"]}.items():
        yield ""
        yield f"Not measured: {name}: {reason}"


def _spread(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return ""
    least, most = _number(figure["min"]), _number(figure["max"])
    return f"**{_number(figure['median'])}** ({least} – {most})"


def _cpu(figure: dict[str, Any] | None) -> str:
    return "" if figure is None else _number(figure["median"])


def _number(value: float) -> str:
    if abs(value) >= 100:  # noqa: PLR2004 - three digits are enough
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


# Ratios: each round's own, then their median.


def _ratios(results: Results) -> Iterator[str]:
    rows = [row for row in results["parts"]["throughput"]["rows"] if "figures" in row]
    ours = [row for row in rows if row["name"].startswith("Relais")]
    others = [row for row in rows if row not in ours]
    yield from _compared("deliveries/s of Relais, as a multiple of", ours, others, _ratio)
    yield ""
    thrifty = [row for row in others if "reference" in row["cpu_us"]]
    title = "CPU per delivery (with the database's), as a multiple of that of Relais"
    yield from _compared(title, ours, thrifty, _cpu_ratio)


def _compared(
    title: str, ours: list[Row], others: list[Row], compare: Callable[[Row, Row], str]
) -> Iterator[str]:
    yield _row([title, *(other["name"] for other in others)])
    yield _row(["---", *["---:"] * len(others)])
    for row in ours:
        cells = [compare(row, other) if _alike(row, other) else "" for other in others]
        yield _row([row["name"], *cells])


def _alike(row: Row, other: Row) -> bool:
    """Return whether both are on one engine; drf-hooks and wrk compare with everything."""
    engine = row["name"].split(", ")[1]
    return other["name"].endswith(engine) or not other["name"].startswith(("naive", "threads"))


def _ratio(row: Row, other: Row) -> str:
    found = _round_by_round(row, other, _RATE)
    least, most = _number(min(found)), _number(max(found))
    return f"**{_number(statistics.median(found))} ×** ({least} – {most})"


def _cpu_ratio(row: Row, other: Row) -> str:
    mine, its = (
        sum(one["cpu_us"][name]["median"] for name in _WORKING if name in one["cpu_us"])
        for one in (row, other)
    )
    return f"**{_number(its / mine)} ×**"


def _round_by_round(row: Row, other: Row, figure: str) -> list[float]:
    """Return the ratio of each round: what slowed the machine then, slowed both."""
    mine, its = row["figures"][figure]["values"], other["figures"][figure]["values"]
    return [a / b for a, b in zip(mine, its, strict=True)]


# The bars: goals, and whether this run met them.


def _bars(results: Results) -> Iterator[str]:
    yield _row(["figure", "bar", "measured", "met?"])
    yield _row(["---", "---:", "---:", "---"])
    for figure, bar, value, met in _measured_bars(results):
        yield _row([figure, bar, _number(value), "yes" if met else "**no**"])


def _measured_bars(results: Results) -> Iterator[Judged]:
    for engine in ("SQLite", "PostgreSQL"):
        yield from _throughput_bars(results, engine)
        yield from _latency_bars(results, engine)
    sender = _median(results, "sender", "CurlSender", "requests/s per core")
    yield from _at_least("sender alone, requests/s per core", 15_000, sender)
    for name in ("10 % to one that hangs", "10 % to 50 that hang"):
        ratio = _relative(results, "hanging", (name, "all healthy"), "due → arrived p99 ms")
        yield from _at_most(f"{name}: p99 of the healthy, × all healthy", 2, ratio)
    for figure, most in (("% of a core", 1), ("MB (PSS)", 120)):
        value = _median(results, "idle", "Relais, SQLite", figure)
        yield from _at_most(f"idle, {figure}", most, value)
    yield from _growth_bars(results)


def _throughput_bars(results: Results, engine: str) -> Iterator[Judged]:
    one = f"Relais, {engine}, k=1, batches of 100"
    rate = _median(results, "throughput", one, _RATE)
    yield from _at_least(f"end to end k=1, {engine}, deliveries/s", 8_000, rate)
    for short, factor in (("naive", 25), ("pooled", 5)):
        pair = one, _REFERENCES[short].format(engine=engine)
        ratio = _relative(results, "throughput", pair, _RATE)
        yield from _at_least(f"end to end k=1, {engine}, × {short}", factor, ratio)
    rate = _median(results, "throughput", f"Relais, {engine}, k=5, batches of 100", _RATE)
    yield from _at_least(f"end to end k=5, {engine}, deliveries/s", 14_000, rate)
    name = f"Relais, {engine}, k=1, one by one, 32 clients"
    rate = _median(results, "throughput", name, _RATE)
    yield from _at_least(f"published one by one, {engine}, events/s", 1_800, rate)


def _latency_bars(results: Results, engine: str) -> Iterator[Judged]:
    name = f"Relais, {engine}"
    reached = _median(results, "latency", name, "% of the rate") or 0
    for figure, most in (("p50 ms", 3), ("p99 ms", {"SQLite": 12, "PostgreSQL": 20}[engine])):
        value = _median(results, "latency", name, figure)
        for said, bar, found, met in _at_most(
            f"accepted → arrived at 200/s, {figure}, {engine}", most, value
        ):
            # Who cannot take the rate is not quick, however soon the few are delivered.
            yield said, bar, found, met and reached >= _IN_TIME


def _growth_bars(results: Results) -> Iterator[Judged]:
    for row in results["parts"].get("growth", {}).get("rows", []):
        engine, _, name = row["name"].partition(", ")
        pair = row["name"], f"{engine}, nothing else"
        ratio = _relative(results, "growth", pair, _RATE)
        if name != "nothing else":
            yield from _at_least(f"rate with {name}, {engine}, × empty", 0.8, ratio)


def _at_least(figure: str, bar: float, value: float | None) -> Iterator[Judged]:
    if value is not None:
        yield figure, f"≥ {bar:,}", value, value >= bar


def _at_most(figure: str, bar: float, value: float | None) -> Iterator[Judged]:
    if value is not None:
        yield figure, f"≤ {bar:,}", value, value <= bar


def _relative(results: Results, part: str, names: tuple[str, str], figure: str) -> float | None:
    rows = [_find(results, part, name) for name in names]
    if not all(row and figure in row.get("figures", {}) for row in rows):
        return None
    return statistics.median(_round_by_round(rows[0] or {}, rows[1] or {}, figure))


def _median(results: Results, part: str, name: str, figure: str) -> float | None:
    row = _find(results, part, name)
    found = row["figures"].get(figure) if row and "figures" in row else None
    return None if found is None else float(found["median"])


def _find(results: Results, part: str, name: str) -> Row | None:
    rows = results["parts"].get(part, {}).get("rows", [])
    return next((row for row in rows if row["name"] == name), None)


def _machine(results: Results) -> Iterator[str]:
    yield f"`{results['command']}`"
    yield ""
    yield ", ".join(f"{name} {value}" for name, value in results["machine"].items())


if __name__ == "__main__":
    main()
