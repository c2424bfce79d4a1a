"""Listening at an address, before anybody is there to answer."""

import contextlib
import errno
import socket
from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.config import SettingsError

# Connections that wait while an API process is busy, or is being started again.
_BACKLOG: Final = 1_024


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Listen at every address that the host stands for: localhost can be two.

    Port 0 takes any that is free, the same one at all of them.

    Raises:
        SettingsError: One of them cannot be had.
    """
    with contextlib.ExitStack() as stack:
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            sockets = [stack.enter_context(one) for one in _bound(addresses, port)]
        except OSError as problem:
            where = f"{host}, port {port}"
            raise SettingsError(f"Cannot listen on {where}: {problem.strerror}.") from problem
        yield sockets


def _bound(addresses: Sequence[tuple[Any, ...]], port: int) -> Iterator[socket.socket]:
    for number, (family, *_, address) in enumerate(dict.fromkeys(addresses)):
        try:
            made = socket.create_server((address[0], port), family=family, backlog=_BACKLOG)
        except OSError as problem:
            if number and problem.errno == errno.EADDRNOTAVAIL:  # such as IPv6 switched off
                continue
            raise
        port = made.getsockname()[1]
        yield made
