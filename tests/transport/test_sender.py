"""What the sender promises, against a real receiver that misbehaves on request."""

import gc
import resource
import socket
import threading
import time
from datetime import UTC, datetime
from ipaddress import IPv4Network

import pytest

from app.core.deliveries import Outcome, OutcomeKind
from app.core.sending import HttpRequest, Sender
from app.transport.response import MASK, MAX_BODY_BYTES, MAX_HEADERS
from app.transport.sender import CurlSender
from tests import receiver as receivers
from tests.receiver import Receiver, banner, endless_interim
from tests.transport.certificates import make_authority, server_context

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LOOPBACK = (IPv4Network("127.0.0.0/8"),)


def make_sender(**changes) -> CurlSender:
    options = {"user_agent": "Relais/9", "clock": lambda: NOW, "allowed_networks": LOOPBACK}
    return CurlSender(**{**options, **changes})


def a_request(target_url: str, **changes) -> HttpRequest:
    values = {
        "token": "dlv_1",
        "method": "POST",
        "target_url": target_url,
        "headers": (("Content-Type", "application/json"),),
        "body": b'{"a":1}',
        "total_timeout_s": 2.0,
        "connect_timeout_s": 1.0,
    }
    return HttpRequest(**{**values, **changes})


def collect(sender: Sender, count: int, *, within_s: float = 5.0) -> list[tuple[str, Outcome]]:
    """Return ``count`` outcomes in the order in which they came."""
    deadline = time.monotonic() + within_s
    ended = []
    while len(ended) < count and time.monotonic() < deadline:
        ended += sender.poll(0.1)
    assert len(ended) == count
    return ended


def send(sender: Sender, target_url: str, **changes) -> Outcome:
    sender.submit(a_request(target_url, **changes))
    [(_, outcome)] = collect(sender, 1)
    return outcome


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sender():
    sender = make_sender()
    yield sender
    sender.close()


# What is sent


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


def test_proxies_of_the_environment_are_not_asked(monkeypatch, receiver):
    with Receiver() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        sender = make_sender()

        outcome = send(sender, receiver.url)

        sender.close()
        assert outcome.is_success
        assert proxy.connection_count == 0


def test_passwords_of_the_environment_are_not_sent(monkeypatch, tmp_path, receiver):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("HOME", str(tmp_path))
    sender = make_sender()

    send(sender, receiver.url)

    sender.close()
    assert receiver.requests[0].header("Authorization") is None


# Whom it calls


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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_r16_u44_a_redirect_is_a_failure_and_is_not_followed(sender, receiver, status):
    with Receiver() as inner:
        receiver.misbehave(receivers.redirect(inner.url, status))

        outcome = send(sender, receiver.url)

        assert (outcome.kind, outcome.status_code) == (OutcomeKind.HTTP_STATUS, status)
        assert ("Location", inner.url) in outcome.response_headers
        assert inner.connection_count == 0


@pytest.mark.parametrize("location", ["/relative", "file:///etc/passwd", "a" * 10_000, "//"])
def test_r16_strange_locations_change_nothing(sender, receiver, location):
    receiver.misbehave(receivers.redirect(location))

    assert send(sender, receiver.url).status_code == 302
    assert len(receiver.requests) == 1


# What counts as success


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_r14_every_2xx_is_a_success(sender, receiver, status):
    receiver.answer(status)

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.SUCCEEDED, status)


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 418, 429, 500, 503, 599, 999])
def test_r15_r17_every_other_status_is_a_failure(sender, receiver, status):
    receiver.answer(status, body=b"" if status == 304 else b"why")

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.HTTP_STATUS, status)


def test_r14_a_204_with_a_body_is_a_success(sender, receiver):
    receiver.misbehave(banner(b"HTTP/1.1 204 No Content\r\n\r\nbody"))

    assert send(sender, receiver.url).is_success


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_r15_an_interim_answer_alone_is_a_failure(sender, receiver, status):
    receiver.misbehave(banner(b"HTTP/1.1 %d Interim\r\n\r\n" % status))

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.RESET, None)


def test_an_interim_answer_before_the_final_one_is_skipped(sender, receiver):
    receiver.misbehave(
        banner(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nX-Final: 1\r\n\r\n")
    )

    outcome = send(sender, receiver.url)

    assert (outcome.status_code, outcome.response_headers) == (200, (("X-Final", "1"),))


def test_the_answer_is_kept_for_people_to_read(sender, receiver):
    body = b"<script>\x1b[31m\xff\xfe\0"
    receiver.answer(503, body=body, headers={"X-Reason": "busy"})

    outcome = send(sender, receiver.url)

    assert outcome.response_headers == (("X-Reason", "busy"), ("Content-Length", str(len(body))))
    assert (outcome.response_body, outcome.truncated) == (body, False)
    assert 0 <= outcome.duration_ms < 2000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Retry-After", "120")], 120),
        ([("retry-after", "999999999999")], 86_400),
        ([("Retry-After", "Sun, 22 Nov 2026 12:01:00 GMT")], 60),
        ([("Retry-After", "-5")], None),
        ([("Retry-After", "120"), ("Retry-After", "300")], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read(sender, receiver, headers, seconds, status):
    receiver.answer(status, headers=headers)

    assert send(sender, receiver.url).retry_after_seconds == seconds


# Hostile receivers


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(receivers.hang, id="R01"),
        pytest.param(receivers.drip_headers, id="R02"),
        pytest.param(endless_interim(100, every_s=0.02), id="R05-100"),
        pytest.param(endless_interim(102, every_s=0.02), id="R05-102"),
        pytest.param(endless_interim(103, every_s=0.02), id="R05-103"),
        pytest.param(receivers.answer_after(1.0), id="R22"),
    ],
)
def test_an_answer_that_does_not_come_in_time_is_a_read_timeout(sender, receiver, behaviour):
    receiver.misbehave(behaviour)

    outcome = send(sender, receiver.url, total_timeout_s=0.3)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.READ_TIMEOUT, None)
    assert 290 <= outcome.duration_ms < 800


def test_r11_a_receiver_that_reads_nothing_is_a_read_timeout(sender, receiver):
    receiver.misbehave_at_once(receivers.never_read)

    outcome = send(sender, receiver.url, body=bytes(30_000_000), total_timeout_s=0.3)

    assert outcome.kind is OutcomeKind.READ_TIMEOUT
    assert outcome.duration_ms < 800


def test_r22_a_late_answer_in_time_is_a_success(sender, receiver):
    receiver.misbehave(receivers.answer_after(0.15))

    assert send(sender, receiver.url, total_timeout_s=1.0).is_success


def test_r03_a_body_that_drips_is_a_success_at_the_deadline(sender, receiver):
    receiver.misbehave(receivers.drip_body)

    outcome = send(sender, receiver.url, total_timeout_s=0.3)

    assert (outcome.kind, outcome.truncated) == (OutcomeKind.SUCCEEDED, True)
    assert outcome.response_body.startswith(b"b")
    assert outcome.duration_ms < 800


@pytest.mark.parametrize("behaviour", [receivers.endless_body, receivers.endless_chunks])
def test_r04_an_endless_body_is_read_up_to_the_cap(sender, receiver, behaviour):
    receiver.misbehave(behaviour)
    send(sender, receiver.url)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    outcomes = [send(sender, receiver.url) for _ in range(5)]

    assert all(outcome.is_success and outcome.truncated for outcome in outcomes)
    assert {len(outcome.response_body) for outcome in outcomes} == {MAX_BODY_BYTES}
    assert max(outcome.duration_ms for outcome in outcomes) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 5_000  # kB


def test_a_body_of_exactly_the_cap_is_not_truncated(sender, receiver):
    receiver.answer(200, body=b"x" * MAX_BODY_BYTES)

    outcome = send(sender, receiver.url)

    assert (len(outcome.response_body), outcome.truncated) == (MAX_BODY_BYTES, False)


def test_a_failure_with_an_endless_body_keeps_its_status(sender, receiver):
    receiver.answer(500, body=b"x" * 1_000_000)

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.HTTP_STATUS, 500)


@pytest.mark.parametrize(
    "behaviour",
    [receivers.many_headers, receivers.long_header],
    ids=["R06 two million", "R06 ten megabytes"],
)
def test_r06_endless_headers_are_a_bad_response_at_once(sender, receiver, behaviour):
    receiver.misbehave(behaviour)

    outcome = send(sender, receiver.url)

    assert outcome.kind is OutcomeKind.BAD_RESPONSE
    assert outcome.duration_ms < 1000


def test_r07_a_bomb_is_stored_as_it_came(sender, receiver):
    receiver.misbehave(receivers.gzip_bomb)

    outcome = send(sender, receiver.url)

    assert outcome.is_success
    assert outcome.response_body.startswith(b"\x1f\x8b")
    assert len(outcome.response_body) <= MAX_BODY_BYTES


def test_r07_a_chain_of_encodings_is_not_decoded(sender, receiver):
    receiver.answer(200, body=b"raw", headers={"Content-Encoding": "gzip, br, gzip, deflate"})

    assert send(sender, receiver.url).response_body == b"raw"


def test_r08_a_short_body_counts_by_its_status(sender, receiver):
    receiver.misbehave(receivers.short_body)

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.truncated) == (OutcomeKind.SUCCEEDED, True)
    assert outcome.response_body == b"abc"


@pytest.mark.parametrize("behaviour", [receivers.reset, receivers.close_at_once])
def test_r09_a_connection_that_ends_without_an_answer_is_a_reset(sender, receiver, behaviour):
    receiver.misbehave(behaviour)

    assert send(sender, receiver.url).kind is OutcomeKind.RESET


def test_r09_a_reset_before_anything_is_read(sender, receiver):
    receiver.misbehave_at_once(receivers.reset)

    assert send(sender, receiver.url).kind is OutcomeKind.RESET


@pytest.mark.parametrize(
    "text",
    [
        b"220 mail.example.com ESMTP\r\n",
        b"-ERR unknown command\r\n",
        b"<html>HTTP/0.9</html>",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\x12\4\0\0\0\0\0",
        b"HTTP/1.1 99999 X\r\n\r\n",
        b"HTTP/1.1 2xx OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\nraw",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Nul: \0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Cut: 1\r\n",
    ],
    ids=repr,
)
def test_r10_what_is_not_http_is_a_bad_response(sender, receiver, text):
    receiver.misbehave(banner(text))

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.BAD_RESPONSE, None)


def test_r05_fast_interim_answers_without_end_are_cut_off(sender, receiver):
    receiver.misbehave(endless_interim(100))

    outcome = send(sender, receiver.url)

    assert outcome.kind is OutcomeKind.BAD_RESPONSE
    assert outcome.duration_ms < 1500


def test_r20_headers_are_safe_to_store(sender, receiver):
    receiver.misbehave(
        banner(
            b"HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nX-Control: a\x01\x1bb\tc\r\n"
            b"Set-Cookie: session=secret\r\nset-cookie: b=secret\r\n\r\n"
        )
    )

    outcome = send(sender, receiver.url)

    assert outcome.response_headers == (
        ("X-Latin", "café"),
        ("X-Control", "a\ufffd\ufffdb\tc"),
        ("Set-Cookie", MASK),
        ("set-cookie", MASK),
    )


def test_r20_a_cookie_is_not_sent_back(sender, receiver):
    receiver.answer(200, headers={"Set-Cookie": "session=secret; Path=/"})

    send(sender, receiver.url)
    send(sender, receiver.url)

    assert receiver.requests[1].header("Cookie") is None


def test_r20_of_500_headers_the_first_ones_are_kept(sender, receiver):
    receiver.answer(200, headers=[(f"X-{number}", "v") for number in range(500)])

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.truncated) == (OutcomeKind.SUCCEEDED, True)
    assert len(outcome.response_headers) == MAX_HEADERS


def test_long_headers_are_kept_only_in_part(sender, receiver):
    receiver.answer(200, headers=[(f"X-{number}", "v" * 6000) for number in range(4)])

    outcome = send(sender, receiver.url)

    assert [name for name, _ in outcome.response_headers] == ["X-0", "X-1"]
    assert outcome.truncated


def test_trailers_are_not_taken_for_headers(sender, receiver):
    receiver.misbehave(
        banner(
            b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            b"HTTP/1.1 200 OK: spoofed\r\n\r\n"
        )
    )

    assert send(sender, receiver.url).status_code == 500


# Connections that fail


def test_a_closed_port_is_connect_refused(sender):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert send(sender, f"http://127.0.0.1:{port}/").kind is OutcomeKind.CONNECT_REFUSED


def test_a_connection_that_is_not_accepted_is_a_connect_timeout(sender):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):  # fills the backlog
            outcome = send(sender, f"http://127.0.0.1:{address[1]}/", connect_timeout_s=0.3)

    assert outcome.kind is OutcomeKind.CONNECT_TIMEOUT
    assert outcome.duration_ms < 800


def test_r12_a_tls_handshake_that_stalls_is_a_connect_timeout(sender, receiver):
    receiver.misbehave_at_once(receivers.hang)
    url = receiver.url.replace("http:", "https:")

    outcome = send(sender, url, connect_timeout_s=0.3)

    assert outcome.kind is OutcomeKind.CONNECT_TIMEOUT
    assert outcome.duration_ms < 800


def test_r13_plain_http_on_a_tls_port_is_a_tls_failure(sender, receiver):
    receiver.misbehave_at_once(banner(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    outcome = send(sender, receiver.url.replace("http:", "https:"))

    assert outcome.kind is OutcomeKind.TLS_FAILED


@pytest.mark.parametrize(
    ("certificate", "is_signed", "kind"),
    [
        ({}, True, OutcomeKind.SUCCEEDED),
        ({"days": (-5, -1)}, True, OutcomeKind.TLS_EXPIRED),
        ({"days": (1, 5)}, True, OutcomeKind.TLS_NOT_YET_VALID),
        ({"host": "other.example.com"}, True, OutcomeKind.TLS_HOSTNAME),
        ({}, False, OutcomeKind.TLS_SELF_SIGNED),
    ],
    ids=["good", "expired", "future", "wrong host", "self-signed"],
)
def test_r13_certificates_are_verified(tmp_path, certificate, is_signed, kind):
    authority = make_authority(tmp_path)
    context = server_context(tmp_path, authority if is_signed else None, **certificate)
    sender = make_sender(ca_file=str(authority.file))

    with Receiver(tls=context) as receiver:
        outcome = send(sender, receiver.url)

    sender.close()
    assert outcome.kind is kind
    assert len(receiver.requests) == (1 if kind is OutcomeKind.SUCCEEDED else 0)


def test_r13_an_unknown_authority_is_untrusted(tmp_path, sender):
    context = server_context(tmp_path, make_authority(tmp_path))

    with Receiver(tls=context) as receiver:
        assert send(sender, receiver.url).kind is OutcomeKind.TLS_UNTRUSTED


# The loop


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
