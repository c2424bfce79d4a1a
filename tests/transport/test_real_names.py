"""The sender against a real name server, in a network of its own (U37 to U42)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAYS = (
    ("unshare", "--net", "--mount"),
    ("unshare", "--user", "--map-root-user", "--net", "--mount"),  # not as root
)
EXPECTED = {
    "private.test": {"blocked_address": 200},
    "flips.test": {"succeeded": 100, "blocked_address": 100},
    "mixed.test": {"blocked_address": 200},
    "mixed6.test": {"blocked_address": 200},
    "appears.test": {"dns_not_found": 1, "blocked_address": 199},
    "localhost.test": {"blocked_address": 200},
    "deep.test": {"blocked_address": 200},
    "loop.test": {"dns_not_found": 200},
    "crowd.test": {"blocked_address": 200},
    "late.test": {"dns_failed": 200},
    "servfail.test": {"dns_failed": 200},
    "missing.test": {"dns_not_found": 200},
    "good.test": {"succeeded": 200},
}


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(  # noqa: S603  # our own words
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )


def way_to_be_alone() -> tuple[str, ...] | None:
    if shutil.which("unshare") is None:
        return None
    return next((way for way in WAYS if run(*way, "true").returncode == 0), None)


def do_without(reason: str) -> None:
    if os.environ.get("CI"):  # noqa: TID251  # whether CI runs this is no setting of Relais
        pytest.fail(f"The test with real names has to run here: {reason}")
    pytest.skip(reason)


def test_u37_to_u42_of_200_attempts_each_none_reaches_the_internal_address():
    alone = way_to_be_alone()
    if alone is None:
        do_without("this machine lets us make no network namespace")

    ran = run(*alone, sys.executable, "-m", "tests.transport.in_namespace", *EXPECTED)

    if "cannot mount" in ran.stderr:
        do_without("this machine lets us mount nothing")
    assert ran.returncode == 0, ran.stderr
    connections, kinds, longest_ms = json.loads(ran.stdout)
    assert connections == 0
    assert kinds == EXPECTED
    assert 2_900 < longest_ms < 4_500  # the name server that never answers
