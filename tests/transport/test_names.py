"""Whom the sender calls where the URL holds a name, with name servers that misbehave."""

import time
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network

import pytest

from app.core.deliveries import OutcomeKind
from app.transport import transfer
from app.transport.answers import KEPT_S
from app.transport.destination import destination_of
from app.transport.resolver import MAX_THREADS
from app.transport.sender import CurlSender
from tests import receiver as receivers
from tests.receiver import Receiver
from tests.transport.certificates import make_authority, server_context
from tests.transport.names import SERVFAIL, Names
from tests.transport.sending import a_request, collect, send

HOST = "hooks.example.com"
HERE = "127.0.0.1"  # where the receiver listens
ELSEWHERE = "127.0.0.2"  # where nobody does
ONLY_HERE = (IPv4Network("127.0.0.1/32"),)
ONLY_ELSEWHERE = (IPv4Network("127.0.0.2/32"),)


@pytest.fixture
def names():
    with Names() as names:
        yield names


@pytest.fixture
def make_sender(names):
    made = []

    def make(allowed=ONLY_HERE, **changes) -> CurlSender:
        options = {"user_agent": "Relais/9", "clock": lambda: datetime(2026, 11, 22, tzinfo=UTC)}
        made.append(CurlSender(**options, allowed_networks=allowed, getaddrinfo=names, **changes))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


def url_at(receiver: Receiver, host: str = HOST) -> str:
    return receiver.url.replace(HERE, host)


def submit(sender: CurlSender, token: str, target_url: str, **changes) -> None:
    sender.submit(a_request(target_url, token=token, **changes))


# Which addresses are called


def test_a_name_is_called_at_its_address_under_its_own_name(names, make_sender, receiver):
    names.has(HOST, HERE)

    outcome = send(make_sender(), url_at(receiver))

    assert outcome.is_success
    assert receiver.requests[0].header("Host") == f"{HOST}:{receiver.port}"


def test_the_certificate_must_be_the_names(names, make_sender, tmp_path):
    authority = make_authority(tmp_path)
    names.has(HOST, HERE)
    names.has("other.example.com", HERE)
    sender = make_sender(ca_file=str(authority.file))

    with Receiver(tls=server_context(tmp_path, authority, host=HOST)) as receiver:
        assert send(sender, url_at(receiver)).is_success
        assert send(sender, url_at(receiver, "other.example.com")).kind is OutcomeKind.TLS_HOSTNAME


def test_the_next_address_is_tried_where_the_first_does_not_answer(names, make_sender, receiver):
    names.has(HOST, "::1", ELSEWHERE, HERE)
    sender = make_sender([*ONLY_HERE, *ONLY_ELSEWHERE, IPv6Network("::1/128")])

    assert send(sender, url_at(receiver)).is_success


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param([HERE], id="U37 A loopback"),
        pytest.param([ELSEWHERE, HERE], id="U39 public and private"),
        pytest.param([ELSEWHERE, "::1"], id="U40 A public, AAAA loopback"),
        pytest.param([HERE, "::1"], id="U42 CNAME to localhost"),
    ],
)
def test_a_name_with_a_blocked_address_is_never_called(names, make_sender, receiver, addresses):
    names.has(HOST, *addresses)

    outcome = send(make_sender(ONLY_ELSEWHERE), url_at(receiver))

    assert outcome.kind is OutcomeKind.BLOCKED_ADDRESS
    assert f"of {len(addresses)} addresses refused" in outcome.detail
    assert receiver.connection_count == 0


@pytest.mark.parametrize("blocked", ["10.0.0.1", "::1", "64:ff9b::7f00:1"])
def test_u39_u40_not_even_the_good_address_of_such_a_name(names, make_sender, receiver, blocked):
    names.has(HOST, HERE, blocked)

    assert send(make_sender(), url_at(receiver)).kind is OutcomeKind.BLOCKED_ADDRESS
    assert receiver.connection_count == 0


def test_u38_a_name_that_flips_never_reaches_the_blocked_address(names, make_sender, receiver):
    now = [0.0]
    sender = make_sender(ONLY_ELSEWHERE, monotonic=lambda: now[0])
    kinds = []
    for number in range(200):
        names.has(HOST, HERE if number % 2 else ELSEWHERE)
        now[0] += KEPT_S
        kinds.append(send(sender, url_at(receiver)).kind)

    assert kinds == [OutcomeKind.CONNECT_REFUSED, OutcomeKind.BLOCKED_ADDRESS] * 100
    assert receiver.connection_count == 0


def test_u38_a_kept_connection_is_not_used_once_the_name_is_blocked(names, make_sender, receiver):
    now = [0.0]
    sender = make_sender(monotonic=lambda: now[0])
    names.has(HOST, HERE)
    send(sender, url_at(receiver))

    names.has(HOST, "10.0.0.1")
    now[0] += KEPT_S

    assert send(sender, url_at(receiver)).kind is OutcomeKind.BLOCKED_ADDRESS
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("count", [1, 5], ids=["one connection", "five connections"])
def test_no_kept_connection_is_used_to_an_address_that_the_name_no_longer_has(
    names, make_sender, receiver, count
):
    now = [0.0]
    sender = make_sender([*ONLY_HERE, *ONLY_ELSEWHERE], monotonic=lambda: now[0])
    names.has(HOST, HERE)
    for number in range(count):
        submit(sender, str(number), url_at(receiver))
    assert all(outcome.is_success for _, outcome in collect(sender, count))

    names.has(HOST, ELSEWHERE)  # allowed too, but nobody listens there
    now[0] += KEPT_S
    kinds = {send(sender, url_at(receiver)).kind for _ in range(2 * count)}

    assert kinds == {OutcomeKind.CONNECT_REFUSED}
    assert len(receiver.requests) == count


def test_a_name_that_moves_away_and_back_is_called_where_it_is(names, make_sender, receiver):
    now = [0.0]
    sender = make_sender([*ONLY_HERE, *ONLY_ELSEWHERE], monotonic=lambda: now[0])
    kinds = []
    for number in range(10):
        names.has(HOST, ELSEWHERE if number % 2 else HERE)
        now[0] += KEPT_S
        kinds.append(send(sender, url_at(receiver)).kind)

    assert kinds == [OutcomeKind.SUCCEEDED, OutcomeKind.CONNECT_REFUSED] * 5


def test_a_kept_connection_is_used_while_the_name_has_its_address(names, make_sender, receiver):
    now = [0.0]
    sender = make_sender([*ONLY_HERE, *ONLY_ELSEWHERE], monotonic=lambda: now[0])
    names.has(HOST, HERE)
    send(sender, url_at(receiver))

    names.has(HOST, ELSEWHERE, HERE)
    now[0] += KEPT_S

    assert send(sender, url_at(receiver)).is_success
    assert receiver.connection_count == 1


def test_more_requests_at_once_than_connections_are_kept_make_new_ones(
    names, make_sender, receiver
):
    receiver.misbehave(receivers.answer_after(0.1))
    names.has(HOST, HERE)
    sender = make_sender()
    assert send(sender, url_at(receiver)).is_success

    for number in range(20):
        submit(sender, str(number), url_at(receiver))

    assert all(outcome.is_success for _, outcome in collect(sender, 20))
    assert receiver.connection_count == 20


def test_libcurl_is_told_the_addresses_where_it_turns_out_not_to_know_them(
    names, make_sender, receiver
):
    names.has(HOST, HERE)
    sender = make_sender()
    sender._connected.add(destination_of(url_at(receiver)))  # as if: libcurl forgets them too

    assert send(sender, url_at(receiver)).is_success
    assert receiver.connection_count == 1


def test_a_name_that_moves_is_called_at_its_new_address(names, make_sender, receiver):
    now = [0.0]
    sender = make_sender([*ONLY_HERE, *ONLY_ELSEWHERE], monotonic=lambda: now[0])
    names.has(HOST, ELSEWHERE)
    assert send(sender, url_at(receiver)).kind is OutcomeKind.CONNECT_REFUSED

    names.has(HOST, HERE)
    now[0] += KEPT_S

    assert send(sender, url_at(receiver)).is_success


def test_u41_a_name_that_appears_later_is_vetted_then(names, make_sender, receiver):
    sender = make_sender(ONLY_ELSEWHERE)
    assert send(sender, url_at(receiver)).kind is OutcomeKind.DNS_NOT_FOUND

    names.has(HOST, HERE)

    assert send(sender, url_at(receiver)).kind is OutcomeKind.BLOCKED_ADDRESS
    assert receiver.connection_count == 0


def test_u42_a_name_that_cannot_be_resolved_is_a_fault_of_ours(names, make_sender, receiver):
    names.fails(HOST, SERVFAIL)  # what resolvers make of a loop of CNAMEs, too

    assert send(make_sender(), url_at(receiver)).kind is OutcomeKind.DNS_FAILED


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
def test_a_number_that_only_some_take_for_an_address_is_blocked(make_sender, receiver, names, host):
    names.has(host, HERE)  # as the C library has it

    outcome = send(make_sender(()), url_at(receiver, host))

    assert outcome.kind is OutcomeKind.BLOCKED_ADDRESS
    assert receiver.connection_count == 0


# Time


def test_u42_a_look_up_ends_after_three_seconds(names, make_sender, receiver, monkeypatch):
    assert transfer.LOOK_UP_TIMEOUT_S == 3.0
    monkeypatch.setattr(transfer, "LOOK_UP_TIMEOUT_S", 0.2)  # to be quick
    names.hangs(HOST, HERE)

    outcome = send(make_sender(), url_at(receiver))

    assert outcome.kind is OutcomeKind.DNS_FAILED
    assert 190 <= outcome.duration_ms < 700


@pytest.mark.parametrize("limit", ["total_timeout_s", "connect_timeout_s"])
def test_a_look_up_ends_with_the_time_of_its_request(names, make_sender, receiver, limit):
    names.hangs(HOST, HERE)

    outcome = send(make_sender(), url_at(receiver), **{limit: 0.2})

    assert outcome.kind is OutcomeKind.DNS_FAILED
    assert 190 <= outcome.duration_ms < 700


def test_a_poll_returns_when_the_time_of_a_look_up_is_up(names, make_sender, receiver):
    names.hangs(HOST, HERE)
    sender = make_sender()
    submit(sender, "dlv_1", url_at(receiver), connect_timeout_s=0.1)

    started = time.monotonic()

    assert len(sender.poll(5)) == 1
    assert time.monotonic() - started < 1.0


def test_each_attempt_has_its_own_time(names, make_sender, receiver):
    names.hangs(HOST, HERE)
    sender = make_sender()
    submit(sender, "patient", url_at(receiver))
    submit(sender, "hasty", url_at(receiver), connect_timeout_s=0.1)

    [(hasty, outcome)] = collect(sender, 1)
    names.release()
    [(patient, success)] = collect(sender, 1)

    assert (hasty, outcome.kind) == ("hasty", OutcomeKind.DNS_FAILED)
    assert (patient, success.is_success) == ("patient", True)


def test_the_total_deadline_and_the_duration_include_the_look_up(names, make_sender, receiver):
    receiver.misbehave(receivers.hang)
    names.hangs(HOST, HERE)
    sender = make_sender()
    submit(sender, "dlv_1", url_at(receiver), total_timeout_s=0.5)
    sender.poll(0.3)
    names.release()

    [(_, outcome)] = collect(sender, 1)

    assert outcome.kind is OutcomeKind.READ_TIMEOUT
    assert 490 <= outcome.duration_ms < 750


# The loop


def test_hanging_names_do_not_delay_the_others(names, make_sender, receiver):
    sender = make_sender()
    names.has(HOST, HERE)
    send(sender, url_at(receiver))  # so that its address is known
    for number in range(MAX_THREADS + 100):
        names.hangs(f"{number}.example.com", HERE)
        submit(sender, "hanging", f"http://{number}.example.com/")

    started = time.monotonic()
    submit(sender, "address", receiver.url)
    submit(sender, "known name", url_at(receiver))
    ended = collect(sender, 2)

    assert {token for token, _ in ended} == {"address", "known name"}
    assert all(outcome.is_success for _, outcome in ended)
    assert time.monotonic() - started < 0.5
    assert sender.in_flight == MAX_THREADS + 100


def test_the_next_look_ups_are_well_once_the_hanging_ones_end(names, make_sender, receiver):
    sender = make_sender()
    for number in range(MAX_THREADS):
        names.hangs(f"{number}.example.com", HERE)
        submit(sender, "dlv_1", url_at(receiver, f"{number}.example.com"), connect_timeout_s=0.1)
    submit(sender, "dlv_1", url_at(receiver, "late.example.com"), connect_timeout_s=0.1)
    ended = collect(sender, MAX_THREADS + 1)
    assert {outcome.kind for _, outcome in ended} == {OutcomeKind.DNS_FAILED}

    names.has(HOST, HERE)
    names.release()

    assert send(sender, url_at(receiver)).is_success
    assert "late.example.com" not in names.asked  # nobody waited for it any more


def test_a_busy_name_is_looked_up_once(names, make_sender, receiver):
    names.has(HOST, HERE)
    sender = make_sender()
    for number in range(100):
        submit(sender, str(number), url_at(receiver))

    ended = collect(sender, 100)

    assert {token for token, _ in ended} == {str(number) for number in range(100)}
    assert all(outcome.is_success for _, outcome in ended)
    assert names.asked == [HOST]


def test_an_answered_look_up_does_not_end_a_poll(names, make_sender, receiver):
    receiver.misbehave(receivers.hang)
    names.has(HOST, HERE)
    sender = make_sender()
    submit(sender, "dlv_1", url_at(receiver))

    started = time.monotonic()

    assert sender.poll(0.3) == []
    assert time.monotonic() - started >= 0.29
    assert len(receiver.requests) == 1


def test_an_attempt_that_waits_for_its_name_is_in_flight(names, make_sender, receiver):
    names.hangs(HOST, HERE)
    sender = make_sender()

    submit(sender, "dlv_1", url_at(receiver))

    assert (sender.in_flight, sender.poll(0)) == (1, [])


def test_close_does_not_wait_for_look_ups_that_hang(names, make_sender, receiver):
    sender = make_sender()
    for number in range(100):
        names.hangs(f"{number}.example.com", HERE)
        submit(sender, "dlv_1", url_at(receiver, f"{number}.example.com"))
    sender.poll(0)

    started = time.monotonic()
    sender.close()

    assert time.monotonic() - started < 0.5
    assert sender.in_flight == 0
    names.release()  # the look-ups end now, and find nobody to tell
    assert receiver.connection_count == 0
