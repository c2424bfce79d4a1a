"""One Relais for the tests that need nothing but a running one."""

from dataclasses import dataclass

import pytest

from tests.e2e.processes import RelaisProcess, serve
from tests.receiver import Receiver


@dataclass(frozen=True, kw_only=True)
class Running:
    """A running Relais and the keys that its first start printed."""

    process: RelaisProcess
    url: str
    publisher_key: str
    account_key: str


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("relais")) as process:
        yield Running(
            process=process,
            url=process.url,
            publisher_key=process.rest_of("Publisher key: "),
            account_key=process.rest_of("Account key: "),
        )


@pytest.fixture
def receiver():
    with Receiver() as listening:
        yield listening
