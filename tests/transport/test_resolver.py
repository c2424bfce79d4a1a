"""Names are looked up on a bounded number of threads, once for all who ask."""

import socket
import threading
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest

from app.core.deliveries import OutcomeKind
from app.transport import answers
from app.transport.answers import KEPT_S, MAX_CALLED, MAX_KEPT, Answer, KeptAnswers
from app.transport.resolver import MAX_THREADS, Resolver
from app.transport.vetting import Vetter
from tests.transport.names import SERVFAIL, Names

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1::1"
HOST = "hooks.example.com"


class Asker:
    """A resolver with its names and its clock, and a way to wait for an answer."""

    def __init__(self, **vetting) -> None:
        self.names = Names()
        self.now = 100.0
        self._rings = threading.Semaphore(0)
        self.resolver = Resolver(
            Vetter(**vetting),
            self._rings.release,
            getaddrinfo=self.names,
            monotonic=lambda: self.now,
        )

    def answer(self, host: str = HOST) -> Answer:
        answer = self.resolver.ask(host)
        return answer or self.wait_for(1)[host]

    def wait_for(self, count: int) -> dict[str, Answer]:
        taken = {}
        while len(taken) < count:
            assert self._rings.acquire(timeout=5)
            taken.update(self.resolver.take())
        return taken


def look_up_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "look-up"}


@pytest.fixture
def asker():
    asker = Asker()
    yield asker
    asker.names.release()
    asker.resolver.close()


# What an answer is


def test_a_name_has_its_addresses_in_their_order(asker):
    asker.names.has(HOST, PUBLIC_6, PUBLIC, PUBLIC_6)

    answer = asker.answer()

    assert answer.addresses == (IPv6Address(PUBLIC_6), IPv4Address(PUBLIC))
    assert answer.as_text == f"[{PUBLIC_6}],{PUBLIC}"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:8.8.8.8", "fe80::1%2"]
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_refused_address_refuses_the_name(asker, address, position):
    others = [PUBLIC, PUBLIC_6]
    asker.names.has(HOST, *others[:position], address, *others[position:])

    answer = asker.answer()

    assert (answer.failure, answer.addresses) == (OutcomeKind.BLOCKED_ADDRESS, ())
    assert "1 of 3 addresses refused" in answer.detail


def test_an_address_that_cannot_be_understood_is_refused(asker):
    asker.names.has(HOST, "not an address")

    assert asker.answer().failure is OutcomeKind.BLOCKED_ADDRESS


def test_an_address_that_the_operator_opened_is_called():
    asker = Asker(allowed=[IPv4Network("10.0.0.0/8")])
    asker.names.has(HOST, "10.0.0.1")

    assert asker.answer().addresses == (IPv4Address("10.0.0.1"),)
    asker.resolver.close()


def test_u42_of_2000_addresses_every_one_is_vetted(asker):
    asker.names.has(HOST, *(f"93.184.{n // 250}.{n % 250}" for n in range(1999)), "10.0.0.1")

    assert asker.answer().failure is OutcomeKind.BLOCKED_ADDRESS


def test_u42_of_2000_addresses_the_first_few_are_called(asker):
    asker.names.has(HOST, *(f"93.184.{n // 250}.{n % 250}" for n in range(2000)))

    assert len(asker.answer().addresses) == MAX_CALLED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "?"), OutcomeKind.DNS_NOT_FOUND),
        (socket.gaierror(socket.EAI_NODATA, "?"), OutcomeKind.DNS_NOT_FOUND),
        (socket.gaierror(socket.EAI_AGAIN, "?"), OutcomeKind.DNS_FAILED),
        (socket.gaierror(socket.EAI_FAIL, "?"), OutcomeKind.DNS_FAILED),
        (socket.gaierror(socket.EAI_SYSTEM, "?"), OutcomeKind.DNS_FAILED),
        (OSError(socket.EAI_NONAME, "another family of numbers"), OutcomeKind.DNS_FAILED),
        (UnicodeError("label too long"), OutcomeKind.DNS_FAILED),
        (MemoryError(), OutcomeKind.DNS_FAILED),
    ],
    ids=repr,
)
def test_only_an_answer_about_the_name_blames_the_name(asker, error, kind):
    asker.names.fails(HOST, error)

    assert asker.answer().failure is kind


def test_a_name_without_addresses_is_not_found(asker):
    asker.names.has(HOST)

    assert asker.answer().failure is OutcomeKind.DNS_NOT_FOUND


def test_localhost_is_one_address_and_nobody_is_asked():
    asker = Asker(allowed=[IPv4Network("127.0.0.0/8")])

    assert asker.resolver.ask("localhost").addresses == (IPv4Address("127.0.0.1"),)
    assert asker.names.asked == []


def test_localhost_is_refused_like_every_other_name(asker):
    assert asker.resolver.ask("localhost").failure is OutcomeKind.BLOCKED_ADDRESS


# How long an answer is kept


def test_an_answer_is_kept_for_a_few_seconds(asker):
    asker.names.has(HOST, PUBLIC)
    asker.answer()
    asker.names.has(HOST, "10.0.0.1")

    asker.now += KEPT_S - 0.1
    assert asker.resolver.ask(HOST).addresses
    asker.now += 0.1
    assert asker.answer().failure is OutcomeKind.BLOCKED_ADDRESS
    assert asker.names.asked == [HOST, HOST]


def test_a_failure_is_not_kept(asker):
    asker.names.fails(HOST, SERVFAIL)
    asker.answer()
    asker.names.has(HOST, PUBLIC)

    assert asker.answer().addresses


def test_a_failure_after_an_answer_is_told(asker):
    asker.names.has(HOST, PUBLIC)
    asker.answer()
    asker.names.fails(HOST, SERVFAIL)

    asker.now += KEPT_S
    assert asker.answer().failure is OutcomeKind.DNS_FAILED


def test_only_so_many_answers_are_kept():
    kept = KeptAnswers(lambda: 0.0)
    for number in range(MAX_KEPT + 2):
        kept.keep(f"{number}.example.com", Answer())

    assert kept.get("1.example.com") is None
    assert kept.get("2.example.com") == Answer()


def test_an_answer_that_is_kept_again_is_the_youngest(monkeypatch):
    monkeypatch.setattr(answers, "MAX_KEPT", 2)
    kept = KeptAnswers(lambda: 0.0)
    for host in ("a", "b", "a", "c"):
        kept.keep(host, Answer())

    assert [host for host in "abc" if kept.get(host)] == ["a", "c"]


# The threads


def test_look_ups_of_one_host_are_shared(asker):
    asker.names.hangs(HOST, PUBLIC)

    assert [asker.resolver.ask(HOST) for _ in range(5)] == [None] * 5

    asker.names.release()
    assert asker.wait_for(1)[HOST].addresses
    assert asker.names.asked == [HOST]


def test_hanging_look_ups_take_a_limited_number_of_threads(asker):
    before = look_up_threads()
    hosts = [f"{number}.example.com" for number in range(2 * MAX_THREADS)]
    for host in hosts:
        asker.names.hangs(host, PUBLIC)
        asker.resolver.ask(host)

    assert len(look_up_threads() - before) == MAX_THREADS

    asker.names.release()
    assert asker.wait_for(len(hosts)).keys() == set(hosts)


def test_a_look_up_does_not_wait_behind_one_that_hangs(asker):
    asker.names.has(HOST, PUBLIC)
    asker.answer()  # leaves an idle thread
    asker.names.hangs("slow.example.com")
    asker.names.has("fast.example.com", PUBLIC)

    asker.resolver.ask("slow.example.com")
    asker.resolver.ask("fast.example.com")

    assert asker.wait_for(1).keys() == {"fast.example.com"}


def test_threads_are_used_again(asker):
    asker.names.has(HOST, PUBLIC)
    asker.answer()
    before = look_up_threads()

    for _ in range(20):
        asker.now += KEPT_S
        asker.answer()

    assert not look_up_threads() - before


def test_what_nobody_waits_for_any_more_is_not_looked_up(asker):
    for number in range(MAX_THREADS):
        asker.names.hangs(f"{number}.example.com")
        asker.resolver.ask(f"{number}.example.com")
    asker.resolver.ask("dropped.example.com")
    asker.resolver.ask("last.example.com")

    asker.resolver.drop("dropped.example.com")

    asker.names.release()
    assert "last.example.com" in asker.wait_for(MAX_THREADS + 1)
    assert "dropped.example.com" not in asker.names.asked


def test_a_machine_without_threads_to_spare_raises_nothing(asker, monkeypatch):
    def refuse(_thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert asker.resolver.ask("first.example.com") is None

    monkeypatch.undo()
    asker.names.has(HOST, PUBLIC)
    asker.resolver.ask(HOST)
    assert asker.wait_for(2)[HOST].addresses


def test_nothing_is_notified_after_the_end():
    rung = []
    names = Names()
    names.hangs(HOST, PUBLIC)
    resolver = Resolver(Vetter(), lambda: rung.append(1), getaddrinfo=names)
    resolver.ask(HOST)
    assert names.begun.wait(5)

    resolver.close()
    names.release()

    for thread in look_up_threads():
        thread.join(5)
    assert rung == []
    assert resolver.take() == []
