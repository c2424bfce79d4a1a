"""docs/hostile-receivers.md lists every row, with tests that exist and outcomes that exist."""

import re
from pathlib import Path

from app.core.deliveries import OutcomeKind

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/hostile-receivers.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| R\d\d ", line)
]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def existing_tests() -> set[str]:
    found = re.compile(r"^def (test_r\d\d_\w+)", re.MULTILINE)
    return {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in found.findall(path.read_text(encoding="utf-8"))
    }


def test_every_row_is_listed_in_order():
    assert list(dict.fromkeys(row for row, *_ in ROWS)) == [f"R{n:02}" for n in range(1, 23)]


def test_every_outcome_is_one():
    outcomes = set().union(*(quoted(outcome) for _, _, outcome, _ in ROWS))

    assert outcomes
    assert outcomes <= {str(kind) for kind in OutcomeKind}


def test_every_test_of_a_row_is_listed_and_every_listed_one_exists():
    assert set().union(*(quoted(tests) for *_, tests in ROWS)) == existing_tests()


def test_a_test_is_listed_with_its_row():
    for row, _, _, tests in ROWS:
        assert all(f"_{row.lower()}_" in name or covers(name, row) for name in quoted(tests))


def covers(name: str, row: str) -> bool:
    """Return whether a test of several rows, ``r04_to_r07``, is of this one."""
    spans = re.findall(r"r(\d\d)_to_r(\d\d)", name)
    return any(int(first) <= int(row[1:]) <= int(last) for first, last in spans)
