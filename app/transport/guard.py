"""The guard at the socket: no connection to an address that Relais refuses to call.

libcurl asks it for each socket that it is about to connect, with the very address. A
name's addresses were vetted before (`app.transport.resolver`); this is the last look, and
the only one at addresses that stand in the URL itself. Nothing is resolved afterwards.
"""

import socket
from collections.abc import Collection
from typing import Protocol

import pycurl

from app.core.addresses import IpAddress
from app.transport.vetting import SocketName, Vetter, read_address


class SocketAddress(Protocol):
    """What libcurl is about to connect to, as pycurl tells it."""

    family: int
    socktype: int
    protocol: int
    addr: SocketName


class Guard:
    """Opens the sockets of one transfer, and remembers what it refused.

    Attributes:
        refused: Why the last address was refused, for operators; None if none was.
        fault: Our own reason for not opening a socket, such as too many open files.
    """

    __slots__ = ("_pinned", "_vetter", "fault", "refused")

    def __init__(self, vetter: Vetter) -> None:
        self._vetter = vetter
        self.reset()

    def reset(self, pinned: Collection[IpAddress] = ()) -> None:
        """Forget the transfer before; open sockets only to ``pinned``, if there is any."""
        self._pinned = pinned
        self.refused: str | None = None
        self.fault: str | None = None

    def open_socket(self, _purpose: int, target: SocketAddress) -> int:
        """Return a new socket's file descriptor, which libcurl owns, or SOCKET_BAD."""
        objection = self._vetter.objection(target.family, target.addr)
        if objection is not None:
            self.refused = objection
            return _bad()
        if self._pinned and read_address(target.family, target.addr) not in self._pinned:
            self.fault = "not an address that the name was looked up to have"
            return _bad()
        try:
            return socket.socket(target.family, target.socktype, target.protocol).detach()
        except OSError as error:
            self.fault = f"socket: {error.strerror}"
            return _bad()


def _bad() -> int:
    bad: int = pycurl.SOCKET_BAD
    return bad
