"""The platforms: found by host, and documented as they are."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.platforms import GENERIC, PLATFORMS, find_platform, platform_of_host

PAGE = Path(__file__).parents[2] / "docs" / "platforms.md"


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("hooks.zapier.com", "zapier"),
        ("hook.eu1.make.com", "make"),
        ("hook.us1.make.celonis.com", "make"),
        ("hook.integromat.com", "make"),
        ("acme.app.n8n.cloud", "n8n"),
        ("prod-12.westeurope.logic.azure.com", "power_automate"),
        ("default1234.environment.api.powerplatform.com", "power_automate"),
        ("webhooks.workato.com", "workato"),
        ("example.com", "generic"),
        ("notmake.com", "generic"),
        ("make.com.example.com", "generic"),
        ("", "generic"),
    ],
)
def test_a_platform_is_known_by_the_end_of_its_host(host, key):
    assert platform_of_host(host).key == key


def test_a_platform_is_found_by_its_key():
    assert find_platform("generic") is GENERIC
    assert find_platform("ifttt") is None
    assert len({platform.key for platform in PLATFORMS}) == len(PLATFORMS)


def test_a_platform_that_is_held_is_also_probed():
    for platform in PLATFORMS:
        assert bool(platform.profile.off) == (platform.profile.probe_every is not None)


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.key)
def test_the_page_tells_what_the_profile_says(platform):
    cells = row_of(platform.key)
    profile = platform.profile

    assert cells["Gone"] == signs(profile.gone)
    assert cells["Off"] == signs(profile.off)
    assert cells["Counts after"] == span(profile.off_after if profile.off else None)
    assert cells["Grace"] == (span(profile.grace) if profile.grace or not profile.off else "∞")
    assert cells["Probe"] == span(profile.probe_every)
    assert cells["Too fast"] == signs(profile.throttled)
    assert cells["A second"] == (f"{profile.per_second:g}" if profile.per_second else "–")
    assert cells["Reverse unsubscribe"] == ("yes" if profile.reverse_unsubscribe else "–")


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.key)
def test_the_page_names_every_host(platform):
    text = PAGE.read_text(encoding="utf-8")

    assert [host for host in platform.hosts if f"`{host}`" not in text] == []


def row_of(key):
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| Platform |"))
    names = split(lines[start])
    rows = [split(line) for line in lines[start + 2 :] if line.startswith("| `")]
    return dict(zip(names, next(row for row in rows if row[0] == f"`{key}`"), strict=True))


def split(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def signs(some):
    texts = [
        f"{one.status}" + (f" `{one.body_contains}`" * bool(one.body_contains)) for one in some
    ]
    return ", ".join(texts) or "–"


def span(time):
    if time is None:
        return "–"
    if not time:
        return "at once"
    if time < timedelta(hours=1):
        return f"{time // timedelta(minutes=1)} min"
    if time < timedelta(days=2):
        return f"{time // timedelta(hours=1)} h"
    return f"{time.days} d"
