"""The sender against a real name server, in a network of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALONE = ("unshare", "--net", "--mount")
EXPECTED = {
    "private.test": ["blocked_address"] * 2,
    "mixed.test": ["blocked_address"] * 2,
    "mixed6.test": ["blocked_address"] * 2,
    "cname.test": ["blocked_address"] * 2,
    "flips.test": ["connect_refused", "blocked_address"],
    "appears.test": ["dns_not_found", "blocked_address"],
    "servfail.test": ["dns_failed"] * 2,
    "missing.test": ["dns_not_found"] * 2,
    "good.test": ["connect_refused"] * 2,
}


def run_alone(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(  # noqa: S603  # our own words
        [*ALONE, *command], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )


def test_u37_to_u42_with_real_names_nothing_reaches_the_blocked_address():
    if shutil.which(ALONE[0]) is None or run_alone("true").returncode:
        pytest.skip("this machine lets us make no network namespace")

    ran = run_alone(sys.executable, "-m", "tests.transport.in_namespace", *EXPECTED)

    if "cannot mount" in ran.stderr:
        pytest.skip("this machine lets us mount nothing")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [0, EXPECTED]
