"""A fast receiver: one process, one epoll loop, no HTTP library.

It remembers which event arrived at which path, and when. It understands what HTTP clients
send to a webhook, and no more: a request with a Content-Length, perhaps in several pieces,
perhaps with others behind it. Paths that begin with `/hang` are never answered, those
that begin with `/fail` with 500.

Prints its port. Then it obeys the lines on its standard input, and ends with that:

    count   prints how many requests have arrived since the last `take`
    take    prints {"count": …, "first": {"/path evt_…": seconds of the monotonic clock}},
            and forgets them
    sample  prints the last request's body
"""

import argparse
import json
import os
import select
import socket
import sys
import time

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_EVENT_ID_BYTES = 30
_READ_BYTES = 256 * 1024


class Sink:
    """The listening socket, its connections, and what arrived."""

    def __init__(self, host: str, port: int) -> None:
        """Listen."""
        self.listener = socket.create_server((host, port), backlog=4096)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.connections: dict[int, socket.socket] = {}
        self.partial: dict[int, bytes] = {}
        self.arrivals: list[tuple[bytes, bytes, float]] = []
        self.last_body = b""
        self.epoll = select.epoll()
        self.epoll.register(self.listener, select.EPOLLIN)
        self.epoll.register(sys.stdin, select.EPOLLIN)

    def run(self) -> None:
        """Serve until standard input closes."""
        listener, stdin = self.listener.fileno(), sys.stdin.fileno()
        while True:
            for number, _ in self.epoll.poll():
                if number == listener:
                    self._accept()
                elif number == stdin:
                    if not self._obey(os.read(stdin, 4096)):
                        return
                else:
                    self._receive(number)

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:  # it was gone before we came
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections[connection.fileno()] = connection
        self.epoll.register(connection, select.EPOLLIN)

    def _receive(self, number: int) -> None:
        connection = self.connections[number]
        try:
            data = connection.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.epoll.unregister(number)
            self.connections.pop(number).close()
            self.partial.pop(number, None)
            return
        data = self.partial.pop(number, b"") + data
        answers = self._answers(number, data)
        if answers:
            connection.send(answers)

    def _answers(self, number: int, data: bytes) -> bytes:
        """Take in the whole requests of ``data``, keep the rest, and return the answers."""
        now = time.monotonic()
        answers, start = b"", 0
        while start < len(data):
            end = _end_of_request(data, start)
            if end is None:
                self.partial[number] = data[start:]
                break
            answers += self._arrived(data[start:end], now)
            start = end
        return answers

    def _arrived(self, request: bytes, now: float) -> bytes:
        first = request.index(b" ") + 1
        path = request[first : request.index(b" ", first)]
        head = request.index(b"\r\n\r\n")
        at = request.find(b"evt_", head)
        event_id = request[at : at + _EVENT_ID_BYTES] if at > 0 else b""
        self.arrivals.append((path, event_id, now))
        self.last_body = request
        if path.startswith(b"/hang"):
            return b""
        return _FAILED if path.startswith(b"/fail") else _OK

    def _obey(self, orders: bytes) -> bool:
        for order in orders.decode().split():
            if order == "count":
                print(len(self.arrivals), flush=True)
            elif order == "take":
                print(json.dumps(self._taken()), flush=True)
            elif order == "sample":
                print(json.dumps(self.last_body.partition(b"\r\n\r\n")[2].decode()), flush=True)
        return bool(orders)

    def _taken(self) -> dict[str, object]:
        arrivals, self.arrivals = self.arrivals, []
        first: dict[str, float] = {}
        for path, event_id, moment in arrivals:
            first.setdefault(f"{path.decode()} {event_id.decode()}", moment)
        return {"count": len(arrivals), "first": first}


def _end_of_request(data: bytes, start: int) -> int | None:
    head = data.find(b"\r\n\r\n", start)
    if head < 0:
        return None
    at = data.find(b"\r\nContent-Length:", start, head)  # as most clients write it
    if at < 0:
        at = start + data[start:head].lower().find(_LENGTH)
    if at < start:
        return head + 4
    at += len(_LENGTH)
    line_end = data.find(b"\r\n", at)
    end = head + 4 + int(data[at:line_end])
    return end if len(data) >= end else None


def main() -> None:
    """Listen, say where, and serve."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    sink = Sink(options.host, options.port)
    print(sink.port, flush=True)
    sink.run()


if __name__ == "__main__":
    main()
