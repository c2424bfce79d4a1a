"""The guard at the socket fails closed."""

import os
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from types import SimpleNamespace

import pycurl
import pytest

from app.transport.guard import Guard
from app.transport.vetting import Vetter

LOOPBACK = IPv4Network("127.0.0.0/8")


def a_target(family: int, *addr: object) -> SimpleNamespace:
    return SimpleNamespace(family=family, socktype=socket.SOCK_STREAM, protocol=0, addr=addr)


def a_guard(*allowed: IPv4Network | IPv6Network) -> Guard:
    return Guard(Vetter(allowed=allowed), opened=lambda _fd: None)


@pytest.mark.parametrize(
    "target",
    [
        a_target(socket.AF_INET, "10.0.0.1", 80),
        a_target(socket.AF_INET, "not an address", 80),
        a_target(socket.AF_INET),
        a_target(socket.AF_INET6, "::1", 80, 0, 0),
        a_target(socket.AF_INET6, "::ffff:8.8.8.8", 80, 0, 0),
        a_target(socket.AF_INET6, "2606:2800:220:1::1", 80, 0, 2),
        a_target(socket.AF_INET6, "fe80::1%lo", 80, 0, 1),
        a_target(socket.AF_UNIX, "/run/docker.sock"),
    ],
    ids=lambda target: f"{target.family}{target.addr}",
)
def test_a_socket_to_a_refused_address_is_never_opened(target):
    guard = a_guard(LOOPBACK, IPv6Network("fe80::/10"))

    assert guard.open_socket(0, target) == pycurl.SOCKET_BAD
    assert guard.refused


def test_a_socket_to_an_allowed_address_is_opened_and_given_away():
    guard = a_guard(LOOPBACK)

    fd = guard.open_socket(0, a_target(socket.AF_INET, "127.0.0.1", 80))

    os.close(fd)  # it is ours alone: nothing else closes it
    assert (guard.refused, guard.fault) == (None, None)


def test_a_socket_that_cannot_be_opened_is_our_own_fault():
    guard = a_guard(LOOPBACK)
    target = a_target(socket.AF_INET, "127.0.0.1", 80)
    target.protocol = 99  # as good as too many open files

    assert guard.open_socket(0, target) == pycurl.SOCKET_BAD
    assert (guard.refused, bool(guard.fault)) == (None, True)


def test_an_address_that_was_not_looked_up_is_not_called_and_that_is_our_own_fault():
    guard = a_guard(LOOPBACK)
    guard.reset(pinned=[IPv4Address("127.0.0.1")])

    assert guard.open_socket(0, a_target(socket.AF_INET, "127.0.0.2", 80)) == pycurl.SOCKET_BAD
    assert (guard.refused, bool(guard.fault)) == (None, True)


def test_the_number_of_a_new_socket_is_told():
    told = []
    guard = Guard(Vetter(allowed=[LOOPBACK]), opened=told.append)

    fd = guard.open_socket(0, a_target(socket.AF_INET, "127.0.0.1", 80))

    os.close(fd)
    assert told == [fd]


@pytest.mark.parametrize(
    ("pinned", "peer", "may_go"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("::1", "::1", True),
        ("::ffff:7f00:1", "::ffff:127.0.0.1", True),  # two ways to write one address
        ("127.0.0.1", "::1", False),
    ],
)
def test_a_request_goes_only_to_an_address_of_the_name(pinned, peer, may_go):
    guard = a_guard()
    guard.reset(pinned=[ip_address(pinned)])

    answer = guard.before_request(peer, "127.0.0.1", 443, 40_000)

    assert answer == (pycurl.PREREQFUNC_OK if may_go else pycurl.PREREQFUNC_ABORT)
    assert guard.is_stale is not may_go


def test_libcurl_looks_no_name_up():
    guard = a_guard()
    guard.reset(pinned=[IPv4Address("127.0.0.1")])

    assert guard.start_resolver() != 0
    assert guard.is_stale


def test_where_a_connection_has_to_be_kept_none_is_made():
    guard = a_guard(LOOPBACK)
    guard.reset(may_connect=False)

    assert guard.start_resolver() != 0
    assert guard.open_socket(0, a_target(socket.AF_INET, "127.0.0.1", 80)) == pycurl.SOCKET_BAD
    assert guard.is_stale


def test_the_next_transfer_starts_afresh():
    guard = a_guard()
    guard.open_socket(0, a_target(socket.AF_INET, "10.0.0.1", 80))

    guard.reset()

    assert (guard.refused, guard.fault) == (None, None)
