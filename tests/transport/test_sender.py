"""What the sender promises of what it sends, whom it calls, and how its loop goes on."""

import threading
import time
from ipaddress import IPv4Network

import pytest

from app.core.deliveries import OutcomeKind
from tests import receiver as receivers
from tests.transport.sending import a_request, collect, make_sender, send


def test_the_request_is_exactly_what_was_asked_for(sender, receiver):
    body = b'{"a":"\xc3\xa9\x00"}'

    send(sender, receiver.url_of("/hooks/%2F/../b?c=d&e"), body=body)

    [request] = receiver.requests
    assert request.method == "POST"
    assert request.path == "/hooks/%2F/../b?c=d&e"
    assert request.body == body
    assert request.headers == (
        ("Host", f"127.0.0.1:{receiver.port}"),
        ("User-Agent", "Relais/9"),
        ("Accept", "*/*"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    )


def test_nothing_is_added_to_a_request_without_headers(sender, receiver):
    send(sender, receiver.url, headers=(), body=b"x" * 2_000_000)

    names = [name for name, _ in receiver.requests[0].headers]
    assert names == ["Host", "User-Agent", "Accept", "Content-Length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("body", [b"", b"{}"], ids=["empty", "body"])
def test_every_method_is_sent_with_and_without_a_body(sender, receiver, method, body):
    outcome = send(sender, receiver.url, method=method, body=body)

    assert outcome.is_success
    assert (receiver.requests[0].method, receiver.requests[0].body) == (method, body)


@pytest.mark.parametrize("before", ["GET", "POST", "DELETE"])
def test_an_answer_to_head_has_no_body_to_wait_for(sender, receiver, before):
    send(sender, receiver.url, method=before, body=b"")
    receiver.misbehave(receivers.banner(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))

    outcome = send(sender, receiver.url, method="HEAD", body=b"")

    assert (outcome.is_success, outcome.truncated) == (True, False)
    assert receiver.requests[1].method == "HEAD"


def test_an_answer_after_that_to_head_has_its_body(sender, receiver):
    receiver.answer(200, body=b"read me")
    receiver.misbehave(receivers.banner(b"HTTP/1.1 200 OK\r\n\r\n"), path="/head")
    send(sender, receiver.url_of("/head"), method="HEAD", body=b"")

    for method, body in (("GET", b""), ("POST", b"{}"), ("DELETE", b"")):
        assert send(sender, receiver.url, method=method, body=body).response_body == b"read me"


def test_a_handle_that_is_used_again_keeps_nothing_of_the_request_before(sender, receiver):
    send(sender, receiver.url, method="PUT", body=b"first", headers=(("X-Old", "1"),))
    send(sender, receiver.url, method="GET", body=b"", headers=())
    send(sender, receiver.url, method="POST", body=b"third", headers=())

    _, second, third = receiver.requests
    assert (second.method, second.body, second.header("Content-Length")) == ("GET", b"", None)
    assert (third.method, third.body, third.header("X-Old")) == ("POST", b"third", None)


def test_headers_arrive_byte_for_byte(sender, receiver):
    headers = (("X-Empty", ""), ("X-Latin", "caf\xe9"), ("X-Colon", "a: b; c"))

    send(sender, receiver.url, headers=headers)

    assert [pair for pair in receiver.requests[0].headers if pair in headers] == list(headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("X-A", "a\r\nX-Evil: 1"),)},
        {"headers": (("X-A", "a\nb"),)},
        {"headers": (("X-A\r\nX-Evil", "1"),)},
        {"headers": (("X-A", "a\0b"),)},
        {"headers": (("X-A", "日本"),)},
        {"method": "PO ST"},
        {"method": "POST /evil HTTP/1.1\r\nX: y"},
        {"method": ""},
        {"method": "CONNECT"},
        {"method": "HEAD", "body": b"{}"},
        {"target_url": "http://127.0.0.1/é"},
        {"target_url": "http://127.0.0.1 /"},
        {"target_url": "file:///etc/passwd"},
        {"target_url": "gopher://127.0.0.1/"},
    ],
    ids=repr,
)
def test_what_cannot_be_put_on_the_wire_is_our_own_fault(sender, receiver, changes):
    outcome = send(sender, **{"target_url": receiver.url, **changes})

    assert outcome.kind is OutcomeKind.INTERNAL
    assert receiver.requests == []
    assert send(sender, receiver.url).is_success


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:7f00:1]"])  # noqa: S104  # nothing binds to it
def test_u37_no_socket_is_opened_to_a_blocked_address(receiver, host):
    sender = make_sender(allowed_networks=())

    outcome = send(sender, f"http://{host}:{receiver.port}/")

    sender.close()
    assert outcome.kind is OutcomeKind.BLOCKED_ADDRESS
    assert outcome.detail
    assert receiver.connection_count == 0


def test_u37_one_allowed_address_opens_no_other(receiver):
    sender = make_sender(allowed_networks=(IPv4Network("127.0.0.2/32"),))

    outcome = send(sender, receiver.url)

    sender.close()
    assert outcome.kind is OutcomeKind.BLOCKED_ADDRESS
    assert receiver.connection_count == 0


def test_localhost_is_called_at_127_0_0_1(sender, receiver):
    outcome = send(sender, f"http://localhost:{receiver.port}/")

    assert outcome.is_success  # ::1 would be refused


def test_slow_receivers_do_not_hold_up_fast_ones(sender, receiver):
    receiver.misbehave(receivers.hang, path="/slow")
    for number in range(30):
        sender.submit(a_request(receiver.url_of("/slow"), token=f"slow {number}"))
    for number in range(50):
        sender.submit(a_request(receiver.url_of("/fast"), token=f"fast {number}"))

    started = time.monotonic()
    ended = collect(sender, 50)

    assert {token for token, _ in ended} == {f"fast {number}" for number in range(50)}
    assert time.monotonic() - started < 1.5
    assert sender.in_flight == 30


def test_connections_are_used_again(sender, receiver):
    for _ in range(5):
        send(sender, receiver.url)

    assert receiver.connection_count == 1


def test_a_kept_connection_that_was_closed_is_replaced(sender, receiver):
    receiver.misbehave(lambda exchange: exchange.send(receivers.response_bytes(200)))

    outcomes = [send(sender, receiver.url) for _ in range(3)]

    assert all(outcome.is_success for outcome in outcomes)
    assert receiver.connection_count == 3


def test_nothing_is_left_over_after_many_requests(sender, receiver):
    receiver.answer_in_turn(200, 503, 200)
    for number in range(200):
        sender.submit(a_request(receiver.url, token=str(number)))

    ended = collect(sender, 200)

    assert {token for token, _ in ended} == {str(number) for number in range(200)}
    assert sum(outcome.status_code == 503 for _, outcome in ended) == 1
    assert (sender.in_flight, sender.poll(0)) == (0, [])


def test_an_outcome_is_in_flight_until_it_is_fetched(sender, receiver):
    sender.submit(a_request(receiver.url))
    sender.submit(a_request("file:///etc/passwd", token="dlv_2"))  # noqa: S106  # no password

    assert sender.in_flight == 2
    collect(sender, 2)
    assert sender.in_flight == 0


def test_poll_waits_no_longer_than_told(sender):
    started = time.monotonic()

    assert sender.poll(0.1) == []
    assert 0.09 <= time.monotonic() - started < 1.0


def test_a_wakeup_before_a_poll_makes_it_return_at_once(sender):
    for _ in range(100_000):  # more than any buffer holds
        sender.wakeup()

    started = time.monotonic()

    assert sender.poll(5) == []
    assert time.monotonic() - started < 1.0
    assert sender.poll(0.01) == []


def test_a_wakeup_ends_a_poll_that_waits_for_a_slow_receiver(sender, receiver):
    receiver.misbehave(receivers.hang)
    sender.submit(a_request(receiver.url))
    waker = threading.Thread(target=lambda: (receiver.wait_for(1), sender.wakeup()))
    waker.start()

    started = time.monotonic()
    ended = sender.poll(5)

    waker.join()
    assert ended == []
    assert time.monotonic() - started < 1.5


def test_close_drops_what_is_in_flight_and_wakeup_stays_harmless(receiver):
    receiver.misbehave(receivers.hang)
    sender = make_sender()
    sender.submit(a_request(receiver.url))
    sender.poll(0.01)

    sender.close()

    sender.wakeup()
    assert sender.in_flight == 0
