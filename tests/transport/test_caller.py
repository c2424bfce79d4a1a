"""One exchange at a time, from any thread, under the rules of the sender."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.deliveries import OutcomeKind
from app.transport.caller import CurlCaller
from tests import receiver as receivers
from tests.receiver import Receiver
from tests.transport.names import NXDOMAIN, Names
from tests.transport.sending import a_request, make_sender


@pytest.fixture
def caller():
    caller = CurlCaller(make_sender)
    yield caller
    caller.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_exchanged(caller, receiver, method):
    outcome = caller.exchange(a_request(receiver.url, method=method, body=b""))

    assert outcome.is_success
    assert receiver.requests[0].method == method


def test_the_answer_comes_back_with_its_body_and_headers(caller, receiver):
    receiver.answer(200, body=b"hello", headers={"X-Hook-Secret": "abc"})

    outcome = caller.exchange(a_request(receiver.url))

    assert outcome.response_body == b"hello"
    assert ("X-Hook-Secret", "abc") in outcome.response_headers


def test_a_blocked_address_is_not_called(receiver):
    caller = CurlCaller(lambda: make_sender(allowed_networks=()))

    outcome = caller.exchange(a_request(receiver.url))

    caller.close()
    assert outcome.kind is OutcomeKind.BLOCKED_ADDRESS
    assert receiver.connection_count == 0


def test_a_redirect_is_not_followed(caller, receiver):
    with Receiver() as inner:
        receiver.misbehave(receivers.redirect(inner.url, 307))

        assert caller.exchange(a_request(receiver.url)).status_code == 307
        assert inner.connection_count == 0


def test_a_receiver_that_hangs_ends_with_the_time_of_the_request(caller, receiver):
    receiver.misbehave(receivers.hang)

    outcome = caller.exchange(a_request(receiver.url, total_timeout_s=0.2))

    assert outcome.kind is OutcomeKind.READ_TIMEOUT
    assert 190 <= outcome.duration_ms < 700


def test_the_network_raises_nothing(receiver):
    names = Names()
    names.fails("hooks.example.com", NXDOMAIN)
    caller = CurlCaller(lambda: make_sender(getaddrinfo=names))

    kinds = [
        caller.exchange(a_request(url)).kind
        for url in ("http://hooks.example.com/", "file:///etc/passwd", "http://127.0.0.1:1/")
    ]

    caller.close()
    assert kinds == [
        OutcomeKind.DNS_NOT_FOUND,
        OutcomeKind.INTERNAL,
        OutcomeKind.CONNECT_REFUSED,
    ]


def test_many_threads_get_each_its_own_outcome(caller, receiver):
    for status in range(400, 420):
        receiver.answer(status, path=f"/{status}")

    def call(status: int) -> int | None:
        return caller.exchange(a_request(receiver.url_of(f"/{status}"))).status_code

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(call, range(400, 420))) == list(range(400, 420))


def test_a_slow_call_does_not_hold_up_another(caller, receiver):
    receiver.misbehave(receivers.hang, path="/slow")
    slow = threading.Thread(
        target=caller.exchange, args=[a_request(receiver.url_of("/slow"), total_timeout_s=1.0)]
    )
    slow.start()
    receiver.wait_for(1)

    started = time.monotonic()
    caller.exchange(a_request(receiver.url))

    assert time.monotonic() - started < 0.7
    slow.join()


def test_no_more_senders_are_made_than_call_at_once(receiver):
    made = []
    caller = CurlCaller(lambda: made.append(make_sender()) or made[-1])

    for _ in range(5):
        caller.exchange(a_request(receiver.url))

    caller.close()
    assert len(made) == 1
    assert receiver.connection_count == 1


def test_a_call_that_ends_after_the_close_leaves_nothing_open(receiver):
    made = []
    caller = CurlCaller(lambda: made.append(Closable()) or made[-1])
    receiver.misbehave(receivers.answer_after(0.2))
    call = threading.Thread(target=caller.exchange, args=[a_request(receiver.url)])
    call.start()
    receiver.wait_for(1)

    caller.close()

    assert not made[0].is_closed
    call.join()
    assert made[0].is_closed


def test_a_sender_that_was_interrupted_is_not_used_again(receiver):
    made = []
    caller = CurlCaller(lambda: made.append(Closable(interrupted=not made)) or made[-1])

    with pytest.raises(KeyboardInterrupt):
        caller.exchange(a_request(receiver.url))

    assert made[0].is_closed
    assert caller.exchange(a_request(receiver.url)).is_success
    caller.close()


class Closable:
    """A sender that remembers its end, and is interrupted on request."""

    def __init__(self, *, interrupted: bool = False) -> None:
        self._sender = make_sender()
        self._interrupted = interrupted
        self.is_closed = False

    def submit(self, request) -> None:
        self._sender.submit(request)

    def poll(self, timeout_s: float) -> list:
        if self._interrupted:
            raise KeyboardInterrupt
        return self._sender.poll(timeout_s)

    def close(self) -> None:
        self.is_closed = True
        self._sender.close()
