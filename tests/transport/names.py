"""Name servers for tests: a stand-in for `socket.getaddrinfo` that does as it is told."""

import socket
import threading
from collections.abc import Callable
from typing import Self

NXDOMAIN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
SERVFAIL = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

Rows = list[tuple]
Answerer = Callable[[], Rows]


class Names:
    """Answers by host; a host without an answer does not exist.

    Use it as a context manager where a look-up hangs: the end releases it.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun = threading.Event()
        self._answerers: dict[str, Answerer] = {}
        self._released = threading.Event()

    def __call__(self, host: str, _port: None, **_hints: int) -> Rows:
        self.asked.append(host)
        self.begun.set()
        answerer = self._answerers.get(host)
        if answerer is None:
            raise NXDOMAIN
        return answerer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.release()

    def has(self, host: str, *addresses: str) -> None:
        """From now on, ``host`` has these addresses."""
        self._answerers[host] = lambda: rows(addresses)

    def fails(self, host: str, error: Exception) -> None:
        def fail() -> Rows:
            raise error

        self._answerers[host] = fail

    def hangs(self, host: str, *addresses: str) -> None:
        """Look-ups of ``host`` wait for `release`, and then find these addresses."""

        def hang() -> Rows:
            self._released.wait(30)
            return rows(addresses)

        self._answerers[host] = hang

    def release(self) -> None:
        self._released.set()


def rows(addresses: tuple[str, ...]) -> Rows:
    """Return the addresses as getaddrinfo does."""
    return [_row(address) for address in addresses]


def _row(address: str) -> tuple:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 0, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
