"""Receivers that stall, flood, lie and break off. docs/hostile-receivers.md lists them."""

import gc
import resource
import socket

import pytest

from app.core.deliveries import Outcome, OutcomeKind
from app.transport.response import MAX_BODY_BYTES
from tests import receiver as receivers
from tests.receiver import banner, endless_interim
from tests.transport.sending import a_request, collect, send


def has_no_answer_in_time(outcome: Outcome, *, after_ms: int) -> bool:
    is_timeout = outcome.kind is OutcomeKind.READ_TIMEOUT and outcome.status_code is None
    return is_timeout and after_ms - 10 <= outcome.duration_ms < after_ms + 500


def test_r01_no_answer_is_a_read_timeout(sender, receiver):
    receiver.misbehave(receivers.hang)

    outcome = send(sender, receiver.url, total_timeout_s=0.3)

    assert has_no_answer_in_time(outcome, after_ms=300)


@pytest.mark.parametrize("behaviour", [receivers.drip_status_line, receivers.drip_headers])
def test_r02_an_answer_that_drips_is_a_read_timeout(sender, receiver, behaviour):
    receiver.misbehave(behaviour)

    outcome = send(sender, receiver.url, total_timeout_s=0.3)

    assert has_no_answer_in_time(outcome, after_ms=300)


@pytest.mark.parametrize("status", [100, 102, 103])
def test_r05_interim_answers_for_ever_are_a_read_timeout(sender, receiver, status):
    receiver.misbehave(endless_interim(status, every_s=0.02))

    outcome = send(sender, receiver.url, total_timeout_s=0.3)

    assert has_no_answer_in_time(outcome, after_ms=300)


def test_r01_r22_the_last_moment_is_fifteen_seconds_after_the_first(sender, receiver):
    """The only test with the real figures; the others have less time."""
    real = {"total_timeout_s": 15.0, "connect_timeout_s": 5.0}
    for path, behaviour in {
        "/14.9": receivers.answer_after(14.9),
        "/15.1": receivers.answer_after(15.1),
        "/never": receivers.hang,
    }.items():
        receiver.misbehave(behaviour, path=path)
        sender.submit(a_request(receiver.url_of(path), token=path, **real))

    ended = dict(collect(sender, 3, within_s=20.0))

    assert ended["/14.9"].is_success
    assert has_no_answer_in_time(ended["/15.1"], after_ms=15_000)
    assert has_no_answer_in_time(ended["/never"], after_ms=15_000)


def test_r11_a_receiver_that_reads_nothing_is_a_read_timeout(sender, receiver):
    receiver.misbehave_at_once(receivers.never_read)

    outcome = send(sender, receiver.url, body=bytes(30_000_000), total_timeout_s=0.3)

    assert outcome.kind is OutcomeKind.READ_TIMEOUT
    assert outcome.duration_ms < 800


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


@pytest.mark.parametrize(
    "encoding",
    ["br", "deflate", "zstd", "gzip, gzip, gzip, gzip, gzip, gzip", "gzip, br, deflate, x-unknown"],
)
def test_r07_no_encoding_is_decoded(sender, receiver, encoding):
    receiver.answer(200, body=b"raw", headers={"Content-Encoding": encoding})

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.response_body) == (OutcomeKind.SUCCEEDED, b"raw")
    assert receiver.requests[0].header("Accept-Encoding") is None


def test_r07_an_unknown_transfer_coding_is_a_bad_response(sender, receiver):
    bad = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zip, chunked\r\n\r\n3\r\nraw\r\n0\r\n\r\n"
    receiver.misbehave(banner(bad))

    assert send(sender, receiver.url).kind is OutcomeKind.BAD_RESPONSE


def test_r08_a_short_body_counts_by_its_status(sender, receiver):
    receiver.misbehave(receivers.short_body)

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.truncated) == (OutcomeKind.SUCCEEDED, True)
    assert outcome.response_body == b"abc"


@pytest.mark.parametrize("behaviour", [receivers.reset, receivers.close_at_once])
def test_r09_a_connection_that_ends_without_an_answer_is_a_reset(sender, receiver, behaviour):
    receiver.misbehave(behaviour)

    assert send(sender, receiver.url).kind is OutcomeKind.RESET


def test_r09_a_reset_within_the_headers_is_a_reset(sender, receiver):
    receiver.misbehave(receivers.reset_after(b"HTTP/1.1 200 OK\r\nX-Half: 1\r\n"))

    assert send(sender, receiver.url).kind is OutcomeKind.RESET


def test_r09_a_reset_after_the_headers_counts_by_the_status(sender, receiver):
    receiver.misbehave(receivers.reset_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.truncated) == (OutcomeKind.SUCCEEDED, True)


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


@pytest.mark.parametrize("status", [100, 102, 103])
def test_r05_a_flood_of_interim_answers_is_cut_off(sender, receiver, status):
    receiver.misbehave(endless_interim(status))

    outcome = send(sender, receiver.url)

    assert outcome.kind is OutcomeKind.BAD_RESPONSE
    assert outcome.duration_ms < 1500


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
