"""The walk in README.md, done: every block marked ``walk``, in order, in real terminals."""

import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from app.config import environment_with
from tests.e2e.processes import RELAIS, serve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh walk( own-terminal)?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
DONE = "__done__"
PATIENCE_S = 60


class Terminal:
    """A shell in the repository's folder that keeps its variables from block to block."""

    def __init__(self):
        self.output = ""
        self.shell = subprocess.Popen(  # noqa: S603 - the blocks are ours
            [shutil.which("bash"), "-e", "-o", "pipefail"],
            cwd=ROOT,
            env=environment_with(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that what it runs ends with it
        )

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.communicate()

    def run(self, block, until=DONE):
        """Run a block; return what it printed until it ended, or until some line."""
        self.shell.stdin.write(f"{block}\necho {DONE}\n")
        self.shell.stdin.flush()
        return self.read(until)

    def read(self, until):
        read = []
        too_late = threading.Timer(PATIENCE_S, os.killpg, (self.shell.pid, signal.SIGKILL))
        too_late.start()
        for line in self.shell.stdout:
            read.append(line)
            if until in line:
                break
        else:
            raise AssertionError(f"the shell ended before {until!r}:\n{''.join(read)}")
        too_late.cancel()
        return "".join(read)


def with_what_make_run_printed(block, relais):
    """Put in the address and the keys that the reader copies from the first terminal."""
    for shown, real in (
        ("http://127.0.0.1:8585", relais.url),
        ("rk_pub_…", relais.rest_of("Publisher key: ")),
        ("rk_acc_…", relais.rest_of("Account key: ")),
    ):
        assert shown in block
        block = block.replace(shown, real)
    return f'{block}\nexport PATH="{Path(RELAIS).parent}:$PATH"'


def test_the_walk_has_blocks_of_both_kinds():
    kinds = [own for own, _ in BLOCKS]

    assert kinds.count(" own-terminal") == 1
    assert len(kinds) > 5


@pytest.mark.skipif(not shutil.which("curl"), reason="the walk needs curl")
def test_the_walk_works(tmp_path):
    (_, exports), *steps = BLOCKS
    with serve(tmp_path) as relais, Terminal() as second, Terminal() as third:
        exports = with_what_make_run_printed(exports, relais)
        second.run(exports)
        third.run(exports)

        for own_terminal, block in steps:
            if own_terminal:
                assert "subscribed to" in third.run(block, until="Listening at")
            else:
                second.output += second.run(block)
        received = third.read(until="}")

    said = re.sub(r"\s+", " ", second.output)
    assert '"scope":' in said
    assert "fires no webhook." in said
    assert '"reason": "filter_false"' in said
    assert "fires 1 webhook." in said
    assert '"attempts": [' in said
    assert "signature ok" in received
    assert '"event": "destroy"' in received
