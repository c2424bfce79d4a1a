"""The guard at the socket: no request to an address that Relais refuses to call.

libcurl asks it for each socket that it is about to connect, with the very address, and
once more for each request that it is about to send, over a new connection or a kept one.
A name's addresses were vetted before (`app.transport.resolver`); this is the last look,
and the only one at addresses that stand in the URL itself.

It also sends nothing to a server whose certificate names its host the old way only, as
the subject's common name (RFC 9525 §2). libcurl takes such a certificate; that it did is
known from what it tells of the handshake, and from nowhere else.
"""

import functools
import socket
from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import Protocol

import pycurl

from app.core.addresses import IpAddress
from app.transport.vetting import SocketName, Vetter, read_address

# libcurl's answers to RESOLVER_START_FUNCTION; pycurl has no names for them.
_GO_ON, _STOP = 0, 1

_COMMON_NAME = b" common name:"  # how libcurl begins the line " common name: … (matched)"

_read_text = functools.lru_cache(maxsize=1024)(ip_address)


class SocketAddress(Protocol):
    """What libcurl is about to connect to, as pycurl tells it."""

    family: int
    socktype: int
    protocol: int
    addr: SocketName


class Guard:
    """Watches over one transfer, and remembers what it refused.

    Attributes:
        refused: Why the last address was refused, for operators; None if none was.
        fault: Our own reason for not going on, such as too many open files.
        is_stale: libcurl went by what it knew of the target from before.
        is_named_the_old_way: The certificate has no subject alternative name.
    """

    __slots__ = (
        "_may_connect",
        "_opened",
        "_pinned",
        "_vetter",
        "fault",
        "is_named_the_old_way",
        "is_stale",
        "refused",
    )

    def __init__(self, vetter: Vetter, *, opened: Callable[[int], None]) -> None:
        """Take the verdict on addresses, and who is told the number of a new socket."""
        self._vetter = vetter
        self._opened = opened
        self.reset()

    def reset(self, pinned: Collection[IpAddress] = (), *, may_connect: bool = True) -> None:
        """Forget the transfer before.

        Args:
            pinned: Go only to one of these, if there is any.
            may_connect: Let it make a connection; otherwise it has to use a kept one.
        """
        self._pinned = pinned
        self._may_connect = may_connect
        self.refused: str | None = None
        self.fault: str | None = None
        self.is_stale = False
        self.is_named_the_old_way = False

    def start_resolver(self) -> int:
        """Let libcurl look nothing up but an address (RESOLVER_START_FUNCTION)."""
        if self._may_connect and not self._pinned:
            return _GO_ON
        self._be_stale("libcurl has not been told the addresses")
        return _STOP

    def open_socket(self, _purpose: int, target: SocketAddress) -> int:
        """Return a new socket's file descriptor, which libcurl owns, or SOCKET_BAD."""
        if not self._may_connect:
            self._be_stale("there is no kept connection")
            return _bad()
        objection = self._vetter.objection(target.family, target.addr)
        if objection is not None:
            self.refused = objection
            return _bad()
        if self._pinned and read_address(target.family, target.addr) not in self._pinned:
            self._be_stale("not an address that the name was looked up to have")
            return _bad()
        try:
            fd = socket.socket(target.family, target.socktype, target.protocol).detach()
        except OSError as error:
            self.fault = f"socket: {error.strerror}"
            return _bad()
        self._opened(fd)
        return fd

    def before_request(self, peer: str, _own: str, _port: int, _own_port: int) -> int:
        """Let a request go to what the name is *now* looked up to be (PREREQFUNCTION).

        libcurl knows a kept connection by its name, whatever the name has become since.
        """
        if self.is_named_the_old_way:
            return _may_not_go()
        if not self._pinned or _read_text(peer) in self._pinned:
            return _may_go()
        self._be_stale("a kept connection to an address that the name no longer has")
        return _may_not_go()

    def listen(self, kind: int, text: bytes) -> None:
        """Take what libcurl tells of a handshake (DEBUGFUNCTION)."""
        if kind == pycurl.INFOTYPE_TEXT and text.startswith(_COMMON_NAME):
            self.is_named_the_old_way = True

    def _be_stale(self, why: str) -> None:
        self.is_stale = True
        self.fault = why


def _bad() -> int:
    bad: int = pycurl.SOCKET_BAD
    return bad


def _may_go() -> int:
    may_go: int = pycurl.PREREQFUNC_OK
    return may_go


def _may_not_go() -> int:
    may_not_go: int = pycurl.PREREQFUNC_ABORT
    return may_not_go
