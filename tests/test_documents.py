"""The documents: their links lead somewhere, and lists in them are whole."""

import re
from pathlib import Path

import pytest

from app.core.deliveries import DeliveryState
from app.core.matching import Reason
from app.core.subscriptions import SubscriptionState

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page):
    broken = [
        target
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_every_decision_is_listed():
    listed = read("docs/decisions/README.md")
    decisions = [path.name for path in (ROOT / "docs/decisions").glob("0*.md")]

    assert [name for name in decisions if f"({name})" not in listed] == []


def test_every_page_of_the_docs_can_be_reached_from_the_readme():
    listed = read("README.md")
    pages = [path.name for path in (ROOT / "docs").glob("*.md")]

    assert [name for name in pages if f"(docs/{name})" not in listed] == []


@pytest.mark.parametrize("state", [*DeliveryState, *SubscriptionState])
def test_the_state_machine_shows_every_state(state):
    assert f" {state}\n" in read("docs/state-machine.md").replace(":", "\n")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained_to_developers(reason):
    assert f"`{reason}`" in read("docs/integration.md")
