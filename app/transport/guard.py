"""The guard at the socket: no connection to an address that Relais refuses to call.

libcurl asks it for each socket that it is about to connect, with the very address, after
every look-up. Neither a name that resolves to an inner address nor one that changes its
answer between two look-ups can pass, because nothing is resolved again afterwards.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, Protocol

import pycurl

from app.core.addresses import IpAddress, IpNetwork, refusal


class SocketAddress(Protocol):
    """What libcurl is about to connect to, as pycurl tells it."""

    family: int
    socktype: int
    protocol: int
    addr: tuple[Any, ...]  # (host, port), and (flow, scope id) for IPv6


class Guard:
    """Opens the sockets of one transfer, and remembers what it refused.

    A name with several addresses is called at one that is not refused, if there is any.

    Attributes:
        refused: Why the last address was refused, for operators; None if none was.
        fault: Our own reason for not opening a socket, such as too many open files.
        opened: Whether libcurl has asked for a socket: the name was looked up.
    """

    __slots__ = ("_allowed", "_nat64", "fault", "opened", "refused")

    def __init__(self, *, allowed: Sequence[IpNetwork] = (), nat64: bool = False) -> None:
        self._allowed = tuple(allowed)
        self._nat64 = nat64
        self.reset()

    def reset(self) -> None:
        """Forget the transfer before."""
        self.refused: str | None = None
        self.fault: str | None = None
        self.opened = False

    def open_socket(self, _purpose: int, target: SocketAddress) -> int:
        """Return a new socket's file descriptor, which libcurl owns, or SOCKET_BAD.

        Fails closed: what cannot be understood is refused.
        """
        self.opened = True
        refused = self._refusal(target)
        if refused is not None:
            self.refused = refused
            return _bad()
        try:
            return socket.socket(target.family, target.socktype, target.protocol).detach()
        except OSError as error:
            self.fault = f"socket: {error.strerror}"
            return _bad()

    def _refusal(self, target: SocketAddress) -> str | None:
        if target.family not in (socket.AF_INET, socket.AF_INET6):
            return f"address family {target.family}"
        try:
            address = _address(target)
        except (ValueError, IndexError):
            return "unreadable address"
        reason = refusal(address, allowed=self._allowed, nat64=self._nat64)
        return f"{address} ({reason})" if reason else None


def _address(target: SocketAddress) -> IpAddress:
    if target.family == socket.AF_INET6 and target.addr[3]:
        return IPv6Address(f"{target.addr[0].partition('%')[0]}%{target.addr[3]}")
    return ip_address(target.addr[0])


def _bad() -> int:
    bad: int = pycurl.SOCKET_BAD
    return bad
