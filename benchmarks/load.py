"""A load generator that costs little: prebuilt requests on keep-alive sockets, one thread."""

import re
import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_EVENT_ID = re.compile(rb'"id": ?"(evt_[0-9a-v]{26})"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE_S = 60.0
_READ_BYTES = 256 * 1024


@dataclass(slots=True)
class Exchange:
    """One request: when it was to be sent, when its answer was there, and its body."""

    due: float
    answered: float
    body: bytes

    @property
    def event_ids(self) -> list[str]:
        """Return the ids of the events that it published."""
        return [one.decode() for one in _EVENT_ID.findall(self.body)]


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    due: float = 0.0
    received: bytes = field(default=b"")


class Load:
    """So many connections to one server, each with one request at a time."""

    def __init__(self, url: str, connections: int) -> None:
        """Connect."""
        address = urlsplit(url)
        assert address.hostname
        assert address.port
        self._target = (address.hostname, address.port)
        self._epoll = select.epoll()
        self._idle: deque[_Connection] = deque()
        self._busy: dict[int, _Connection] = {}
        for _ in range(connections):
            self._idle.append(self._connect())

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        for one in [*self._idle, *self._busy.values()]:
            one.socket.close()
        self._epoll.close()

    def closed(self, requests: Iterable[bytes]) -> list[Exchange]:
        """Send them as fast as the answers come."""
        return self._run((0.0, one) for one in requests)

    def paced(self, requests: Iterable[bytes], per_second: float) -> list[Exchange]:
        """Send them at a steady rate, whatever the answers do (an open loop).

        Should every connection be busy, a request waits; its `due` is still the moment at
        which it should have been sent, so that the wait counts.
        """
        start = time.monotonic()
        return self._run((start + n / per_second, one) for n, one in enumerate(requests))

    def _run(self, schedule: Iterator[tuple[float, bytes]]) -> list[Exchange]:
        done: list[Exchange] = []
        waiting = next(schedule, None)
        while waiting or self._busy:
            while waiting and self._idle and waiting[0] <= time.monotonic():
                self._send(*waiting)
                waiting = next(schedule, None)
            until = waiting[0] - time.monotonic() if waiting and self._idle else _PATIENCE_S
            events = self._epoll.poll(max(0.0, until))
            if not events and until >= _PATIENCE_S:
                raise TimeoutError("the server does not answer")
            done += [one for number, _ in events if (one := self._receive(self._busy[number]))]
        return done

    def _send(self, due: float, request: bytes) -> None:
        connection = self._idle.popleft()
        connection.due = due or time.monotonic()
        connection.socket.sendall(request)
        self._busy[connection.socket.fileno()] = connection

    def _receive(self, connection: _Connection) -> Exchange | None:
        data = connection.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the server closed a connection")
        connection.received += data
        head = connection.received.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = _LENGTH.search(connection.received, 0, head)
        assert length, "an answer without a Content-Length"
        if len(connection.received) < head + 4 + int(length[1]):
            return None
        return self._answered(connection, head)

    def _answered(self, connection: _Connection, head: int) -> Exchange:
        answer, connection.received = connection.received, b""
        if not answer.startswith(b"HTTP/1.1 202 "):
            raise AssertionError(f"not accepted: {answer[:500]!r}")
        self._idle.append(self._busy.pop(connection.socket.fileno()))
        return Exchange(connection.due, time.monotonic(), answer[head + 4 :])

    def _connect(self) -> _Connection:
        connection = socket.create_connection(self._target)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._epoll.register(connection, select.EPOLLIN)
        return _Connection(connection)


def post(path: str, body: bytes, *, key: str) -> bytes:
    """Return a whole request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: relais\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
