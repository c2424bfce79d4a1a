"""The guard at the socket fails closed."""

import os
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from types import SimpleNamespace

import pycurl
import pytest

from app.transport.guard import Guard
from app.transport.vetting import Vetter


def a_target(family: int, *addr: object) -> SimpleNamespace:
    return SimpleNamespace(family=family, socktype=socket.SOCK_STREAM, protocol=0, addr=addr)


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
    guard = Guard(Vetter(allowed=[IPv4Network("127.0.0.0/8"), IPv6Network("fe80::/10")]))

    assert guard.open_socket(0, target) == pycurl.SOCKET_BAD
    assert guard.refused


def test_a_socket_to_an_allowed_address_is_opened_and_given_away():
    guard = Guard(Vetter(allowed=[IPv4Network("127.0.0.0/8")]))

    fd = guard.open_socket(0, a_target(socket.AF_INET, "127.0.0.1", 80))

    os.close(fd)  # it is ours alone: nothing else closes it
    assert (guard.refused, guard.fault) == (None, None)


def test_a_socket_that_cannot_be_opened_is_our_own_fault():
    guard = Guard(Vetter(allowed=[IPv4Network("127.0.0.0/8")]))
    target = a_target(socket.AF_INET, "127.0.0.1", 80)
    target.protocol = 99  # as good as too many open files

    assert guard.open_socket(0, target) == pycurl.SOCKET_BAD
    assert (guard.refused, bool(guard.fault)) == (None, True)


def test_an_address_that_was_not_looked_up_is_not_called_and_that_is_our_own_fault():
    guard = Guard(Vetter(allowed=[IPv4Network("127.0.0.0/8")]))
    guard.reset(pinned=[IPv4Address("127.0.0.1")])

    assert guard.open_socket(0, a_target(socket.AF_INET, "127.0.0.2", 80)) == pycurl.SOCKET_BAD
    assert (guard.refused, bool(guard.fault)) == (None, True)


def test_the_next_transfer_starts_afresh():
    guard = Guard(Vetter())
    guard.open_socket(0, a_target(socket.AF_INET, "10.0.0.1", 80))

    guard.reset()

    assert (guard.refused, guard.fault) == (None, None)
