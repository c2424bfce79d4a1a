"""What the sender makes of an answer: what counts as success, and what is kept of it."""

import pytest

from app.core.deliveries import OutcomeKind
from app.transport.response import MASK, MAX_HEADERS
from tests import receiver as receivers
from tests.receiver import Receiver, banner
from tests.transport.sending import send


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


def test_r21_the_body_is_kept_byte_for_byte(sender, receiver):
    body = b"<script>\x1b[31m\xff\xfe\0 \xe2\x80\xae"
    receiver.answer(503, body=body, headers={"X-Reason": "busy"})

    outcome = send(sender, receiver.url)

    assert outcome.response_headers == (("X-Reason", "busy"), ("Content-Length", str(len(body))))
    assert (outcome.response_body, outcome.truncated) == (body, False)
    assert 0 <= outcome.duration_ms < 2000


@pytest.mark.parametrize("status", [429, 503])
def test_r18_retry_after_is_read(sender, receiver, status):
    receiver.answer(status, headers={"Retry-After": "120"})

    outcome = send(sender, receiver.url)

    assert (outcome.kind, outcome.retry_after_seconds) == (OutcomeKind.HTTP_STATUS, 120)


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        (["-5"], None),
        (["1e9"], None),
        (["1000000000"], 86_400),
        (["9" * 5000], 86_400),
        (["NaN"], None),
        (["abc"], None),
        ([""], None),
        (["Sun, 22 Nov 2026 12:01:00 GMT"], 60),
        (["Sun, 22 Nov 2026 11:59:00 GMT"], None),
        (["Tue, 01 Dec 2099 00:00:00 GMT"], 86_400),
        (["120", "300"], None),
        (["120, 300"], None),
        ([], None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_r19_a_strange_retry_after_is_ignored_or_capped(sender, receiver, values, seconds):
    receiver.answer(503, headers=[("retry-AFTER", value) for value in values])

    assert send(sender, receiver.url).retry_after_seconds == seconds


def test_a_success_asks_for_no_wait(sender, receiver):
    receiver.answer(200, headers={"Retry-After": "120"})

    assert send(sender, receiver.url).retry_after_seconds is None


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


def test_r20_a_cookie_is_masked_and_not_sent_back(sender, receiver):
    receiver.answer(200, headers={"Set-Cookie": "session=secret; Path=/"})

    outcomes = [send(sender, receiver.url) for _ in range(3)]

    assert all("secret" not in str(outcome) for outcome in outcomes)
    assert [request.header("Cookie") for request in receiver.requests] == [None] * 3


@pytest.mark.parametrize("line", [b"X-Nul: \0", b"X\0: 1", b"X-Nul: a\0b"])
def test_r20_a_header_with_a_nul_is_no_http(sender, receiver, line):
    receiver.misbehave(banner(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n"))

    assert send(sender, receiver.url).kind is OutcomeKind.BAD_RESPONSE


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
