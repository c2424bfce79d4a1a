"""`relais simulate`: a platform on this machine, told line by line."""

import io
import json
import re
import socket
import threading

import pytest
import requests
from click.testing import CliRunner

from app.cli.simulate import _obey, simulate
from app.core import signing
from app.simulators import State, Subscriber
from app.system.clock import SystemClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of Standard Webhooks
BODY = json.dumps({"trigger": "changed_appointment", "event": "create"}).encode()


def a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def signed(body):
    timestamp = int(SystemClock().now().timestamp())
    return dict(signing.headers([SECRET], message_id="dlv_1", timestamp=timestamp, body=body))


def run(*args, posts):
    """Run the command in this thread, for its signals; post to it from another."""
    port = a_free_port()
    caller = threading.Thread(target=post_all, args=[f"http://127.0.0.1:{port}/hook", posts])
    caller.start()
    ended = CliRunner().invoke(
        simulate, [*args, "--port", str(port), "--count", str(len(posts))], input=""
    )
    caller.join()
    return ended


def post_all(url, posts):
    tried = threading.Event()
    for body, headers in posts:
        for _ in range(1_000):
            try:
                requests.post(url, data=body, headers=headers, timeout=10)
                break
            except requests.ConnectionError:
                tried.wait(0.01)  # it has not begun yet


def test_each_arrival_is_told_in_a_line():
    ended = run("make", "--script", "on,off", posts=[(BODY, {}), (b"\x1b[2J", {})])

    introduced, first, second = ended.output.splitlines()
    assert ended.exit_code == 0
    assert re.fullmatch(r'Make at http://127\.0\.0\.1:\d+/hook, platform "make": on', introduced)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}  POST    changed_appointment create +on, answered 200", first
    )
    assert re.search(r"POST    - +off, answered 410$", second)


def test_what_an_arrival_names_cannot_steer_the_terminal():
    body = json.dumps({"trigger": "\x1b[2J\nforged", "event": "create"}).encode()

    ended = run("generic", posts=[(body, {})])

    assert "\x1b" not in ended.output
    assert len(ended.output.splitlines()) == 2


def test_with_a_secret_each_signature_is_judged():
    ended = run("zapier", "--secret", SECRET, posts=[(BODY, signed(BODY)), (BODY, signed(b"{}"))])

    _, good, bad = ended.output.splitlines()
    assert good.endswith("signature ok")
    assert bad.endswith("signature BAD: no signature fits")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["ifttt"], "'ifttt' is not one of"),
        (["make", "--script", "open"], "There is no state 'open'"),
        (["make", "--secret", "nonsense"], "not a signing secret"),
    ],
)
def test_a_mistake_in_the_command_is_named(args, said):
    refused = CliRunner().invoke(simulate, args)

    assert refused.exit_code == 2
    assert said in refused.output


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused = CliRunner().invoke(simulate, ["make", "--port", str(port)])

    assert refused.exit_code == 1
    assert f"Port {port} cannot be used" in refused.output


def test_typing_a_state_switches(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n  off:2,on \nopen\n"))
    with Subscriber("make") as subscriber:
        _obey(subscriber)

        assert subscriber.state is State.OFF
    said = capsys.readouterr()
    assert said.out == "Now off.\n"
    assert "There is no state 'open'" in said.err
