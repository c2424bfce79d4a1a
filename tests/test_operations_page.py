"""docs/operations.md lists what there is: metrics, jobs, triggers, reasons."""

import re
from datetime import timedelta
from pathlib import Path

from app.catalog import load_registry
from app.core.metering import FAMILIES
from app.services.metrics import STORE_FAMILIES
from app.worker.jobs import standard_jobs

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")


def rows_of(heading):
    """Return the cells of the table under a heading, row by row."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_lists_every_metric_with_its_labels_and_meaning():
    families = [*FAMILIES.values(), *STORE_FAMILIES]
    expected = [
        [f"`{one.name}`", ", ".join(f"`{label}`" for label in one.labels), one.help]
        for one in families
    ]

    assert rows_of("Metrics") == expected


def test_every_metric_that_the_page_asks_for_exists():
    known = {one.name for one in (*FAMILIES.values(), *STORE_FAMILIES)}
    catalogs = {key for one in load_registry().catalogs.values() for key in one.triggers}
    used = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for name in re.findall(r"\brelais_[a-z_]+[a-z]", PAGE)
    }

    assert used - known - catalogs == set()


def test_the_page_lists_every_job():
    jobs = standard_jobs(retention=timedelta(days=30))

    assert [row[0] for row in rows_of("One leader for scheduled work")] == [
        f"`{job.name}`" for job in jobs
    ]


def test_the_page_lists_every_operational_trigger():
    triggers = load_registry().catalogs["operations"].triggers

    assert [row[0] for row in rows_of("Operational events")] == [f"`{key}`" for key in triggers]


def test_the_page_explains_every_reason_for_not_being_ready():
    sources = ("app/services/readiness.py", "app/storage/probing.py")
    root = Path(__file__).parents[1]
    codes = {
        code
        for source in sources
        for code in re.findall(r'code="(\w+)"', (root / source).read_text(encoding="utf-8"))
    }

    listed = {row[1].strip("`") for row in rows_of("Readiness")}
    assert codes - {"late"} == listed
