"""`relais replay` against a Relais that the test scripts."""

import pytest

from tests.client.conftest import FakeRelais
from tests.client.test_client_replays import RUNNING

SINCE = ("--since", "2031-03-01T09:12:44Z")


@pytest.fixture
def fake():
    one = FakeRelais()
    yield one
    one.stop()


def test_a_dry_run_says_how_many(fake, relais):
    fake.answers(200, {"found": 1, "is_partial": False})

    wanted = ("--dry-run", "--only", "all", "--url", fake.base_url, "--key", "k")
    ran = relais("replay", "sub_1", *SINCE, *wanted)

    assert ran.out == "It would send 1 delivery. Nothing was sent.\n"
    assert fake.requests[0].body == {
        "since": "2031-03-01T09:12:44Z",
        "only": "all",
        "dry_run": True,
    }


def test_a_start_names_the_job(fake, relais):
    fake.answers(202, RUNNING)

    ran = relais("replay", "sub_1", *SINCE, "--account", "a", "--url", fake.base_url, "--key", "k")

    assert ran.out == "Started rpl_1: 14 deliveries or more, up to 2031-03-01T09:12:44.000Z.\n"
    assert fake.requests[0].headers["Relais-Account"] == "a"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "--since"),
        (("--since", "tuesday"), "no time such as"),
        (("--since", "2031-03-01T09:12:44"), "no time such as"),
        ((*SINCE, "--only", "none"), "--only"),
    ],
)
def test_a_mistake_in_the_command_is_named(relais, args, said):
    refused = relais("replay", "sub_1", *args, "--key", "k")

    assert refused.code == 2
    assert said in refused.err
