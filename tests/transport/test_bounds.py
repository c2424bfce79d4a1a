"""Whatever receivers do, a sending process stays as large as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import receiver as receivers
from tests.receiver import Receiver, endless_interim

ROOT = Path(__file__).parents[2]
MAX_GROWTH = 20 * 2**20

HUNGRY = {
    "/body": receivers.endless_body,
    "/chunks": receivers.endless_chunks,
    "/bomb": receivers.gzip_bomb,
    "/headers": receivers.many_headers,
    "/header": receivers.long_header,
    "/interim": endless_interim(103),
}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
def test_r04_to_r07_two_hundred_exchanges_leave_memory_threads_and_files_as_they_were():
    with Receiver() as receiver:
        for path, behaviour in HUNGRY.items():
            receiver.misbehave(behaviour, path=path)
        ran = subprocess.run(  # noqa: S603  # our own words
            [sys.executable, "-m", "tests.transport.bounds", "200", *map(receiver.url_of, HUNGRY)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ran.returncode == 0, ran.stderr
    kinds, memory, threads, files = json.loads(ran.stdout)
    assert kinds == ["bad_response", "succeeded"]
    assert memory < MAX_GROWTH
    assert threads == 0
    assert files <= 1  # a kept connection to the receiver of the bomb, or none
