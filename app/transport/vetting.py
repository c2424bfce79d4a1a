"""Which addresses one sender may call: the table of core, with the operator's openings."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from app.core.addresses import IpAddress, IpNetwork, refusal

SocketName = tuple[Any, ...]  # (host, port), and (flow, scope id) for IPv6


class Vetter:
    """The verdict on single addresses, for one deployment."""

    __slots__ = ("_allowed", "_nat64")

    def __init__(self, *, allowed: Sequence[IpNetwork] = (), nat64: bool = False) -> None:
        """Take the operator's choices; see `app.core.addresses.refusal`."""
        self._allowed = tuple(allowed)
        self._nat64 = nat64

    def objection(self, family: int, name: SocketName) -> str | None:
        """Return why a socket may not be connected to ``name``, None where it may.

        For operators only. Fails closed: what cannot be understood is refused.
        """
        try:
            address = read_address(family, name)
        except ValueError as error:
            return str(error)
        reason = refusal(address, allowed=self._allowed, nat64=self._nat64)
        return f"{address} ({reason})" if reason else None


def read_address(family: int, name: SocketName) -> IpAddress:
    """Return the address of a socket's name, with its scope id.

    Raises:
        ValueError: It is of no family that Relais calls, or unreadable.
    """
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise ValueError(f"address family {family}")
    try:
        return IPv4Address(str(name[0])) if family == socket.AF_INET else _ipv6(name)
    except (ValueError, IndexError):
        raise ValueError("unreadable address") from None


def _ipv6(name: SocketName) -> IPv6Address:
    host, _, _ = str(name[0]).partition("%")
    return IPv6Address(f"{host}%{name[3]}" if name[3] else host)
