"""The environment of a process leads nobody astray: no proxies, no passwords, no cookies.

In a process of its own, since libraries read their environment when they begin.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.receiver import Receiver
from tests.transport.certificates import server_context

ROOT = Path(__file__).parents[2]
PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def run_with(environment: dict[str, str], *urls: str) -> list[str]:
    """Return the outcome kinds, two for each URL."""
    ran = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-m", "tests.transport.in_process", *urls],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},  # noqa: TID251  # a child's
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_no_proxy_of_the_environment_is_called(tmp_path):
    tls = server_context(tmp_path, None)
    with Receiver() as receiver, Receiver(tls=tls) as secret, Receiver() as proxy:
        proxies = dict.fromkeys(PROXY_NAMES, f"http://user:pw@127.0.0.1:{proxy.port}")

        kinds = run_with({**proxies, "NO_PROXY": ""}, receiver.url, secret.url)

        assert kinds == ["succeeded"] * 2 + ["tls_self_signed"] * 2
        assert proxy.connection_count == 0


def test_no_password_of_the_environment_is_sent(tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\ndefault login a password b\n")
    with Receiver() as receiver:
        receiver.answer(401, headers={"WWW-Authenticate": 'Basic realm="a"'})

        kinds = run_with({"HOME": str(tmp_path), "NETRC": str(netrc)}, receiver.url)

        assert kinds == ["http_status"] * 2
        assert len(receiver.requests) == 2
        assert all(request.header("Authorization") is None for request in receiver.requests)
