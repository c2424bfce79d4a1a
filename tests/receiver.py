"""A real HTTP receiver on loopback for the whole suite: records, answers, misbehaves.

    with Receiver() as receiver:
        receiver.answer(503, headers={"Retry-After": "120"}, times=1)
        receiver.answer(200)
        ... send something to receiver.url ...
        [first, second] = receiver.wait_for(2)

Answers are used in their order; the last one stays. Misbehaviours (`hang`, `drip_body`,
`reset`, …) are answers too: ``receiver.misbehave(hang)``. Each runs on its own thread and
ends when the client goes away or the receiver stops.
"""

import contextlib
import functools
import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

Behaviour = Callable[["Exchange"], None]
Headers = Mapping[str, str] | Iterable[tuple[str, str]]

_IDLE_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """One request as it came in.

    ``headers`` keep their order, case and repetitions; ``arrived_at`` is monotonic;
    ``connection`` counts the connections of the receiver, to see which were reused.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    arrived_at: float
    connection: int

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Exchange:
    """What a behaviour works with: the request (None for raw ones) and the socket."""

    def __init__(self, sock: socket.socket, request: ReceivedRequest | None, stop: threading.Event):
        self.request = request
        self.socket = sock
        self.stop = stop
        self.keep_alive = False

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def repeat(self, data: bytes, *, every_s: float = 0.0) -> None:
        """Send ``data`` again and again until the client or the receiver ends."""
        while not self.stop.is_set():
            self.send(data)
            if every_s:
                self.stop.wait(every_s)

    def wait_for_the_end(self) -> None:
        """Hold the connection until the client or the receiver ends it."""
        while not self.stop.is_set() and self.socket.recv(65536):
            pass


class Receiver:
    """The receiver; a context manager. ``url`` is ``http://127.0.0.1:<port>/hook``."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Make a receiver, of https where there is a ``tls`` context; on a free port."""
        self._tls = tls
        self._host = host
        self._answers: dict[str | None, list[tuple[Behaviour, int | None]]] = {}
        self._requests: list[ReceivedRequest] = []
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._raw: Behaviour | None = None
        self._listener = socket.create_server((host, port), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.connection_count = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        # Closing a listener does not end an accept() that waits; a connection does.
        with contextlib.suppress(OSError):
            socket.create_connection((self._host, self.port), timeout=1).close()
        with self._changed:
            sockets = list(self._sockets)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    @property
    def url(self) -> str:
        return self.url_of("/hook")

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Return the requests so far, in the order of their arrival."""
        with self._changed:
            return list(self._requests)

    def url_of(self, path: str) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self._host}:{self.port}{path}"

    def answer(
        self,
        status: int = 200,
        *,
        body: bytes = b"",
        headers: Headers = (),
        times: int | None = None,
        path: str | None = None,
    ) -> None:
        """Answer with ``status`` from now on, or ``times`` times and then as told next."""
        raw = response_bytes(status, body=body, headers=headers)
        self._program(_fixed(raw), times=times, path=path)

    def answer_in_turn(self, *statuses: int, path: str | None = None) -> None:
        """Answer with each status once, and with the last one ever after."""
        for status in statuses[:-1]:
            self.answer(status, times=1, path=path)
        self.answer(statuses[-1], path=path)

    def misbehave(
        self, behaviour: Behaviour, *, times: int | None = None, path: str | None = None
    ) -> None:
        """Read each request, record it, and leave the rest to ``behaviour``."""
        self._program(behaviour, times=times, path=path)

    def misbehave_at_once(self, behaviour: Behaviour) -> None:
        """Run ``behaviour`` on each connection before anything is read from it."""
        self._raw = behaviour

    def wait_for(self, count: int, timeout: float = 30.0) -> list[ReceivedRequest]:
        """Return the requests once there are ``count``; AssertionError after ``timeout`` s."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self._requests) >= count, timeout)
            assert enough, f"{len(self._requests)} of {count} requests after {timeout} s"
            return list(self._requests)

    def forget(self) -> None:
        """Forget the requests and the programmed answers."""
        with self._changed:
            self._requests.clear()
            self._answers.clear()
            self._raw = None

    def _program(self, behaviour: Behaviour, *, times: int | None, path: str | None) -> None:
        with self._changed:
            self._answers.setdefault(path, []).append((behaviour, times))

    def _next_behaviour(self, path: str) -> Behaviour:
        with self._changed:
            queue = self._answers.get(path.partition("?")[0]) or self._answers.get(None) or []
            # An answer for good gives way to one that was programmed later.
            while len(queue) > 1 and queue[0][1] in (None, 0):
                queue.pop(0)
            if not queue:
                return _fixed(response_bytes(200))
            behaviour, times = queue[0]
            if times is not None and times > 0:
                queue[0] = (behaviour, times - 1)
            return behaviour

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stop.is_set():
                sock.close()
                return
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            with self._changed:
                self.connection_count += 1
                self._sockets.add(sock)
                number = self.connection_count
            self._start(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            sock.settimeout(_IDLE_TIMEOUT_S)
            if self._raw is not None:
                self._raw(Exchange(sock, None, self._stop))
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            while self._serve_one(sock, number):
                pass
        except (OSError, ValueError):
            pass  # the client went away, or we are stopping
        finally:
            with self._changed:
                self._sockets.discard(sock)
            sock.close()

    def _serve_one(self, sock: socket.socket, number: int) -> bool:
        request = _read_request(sock, number)
        if request is None:
            return False
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        exchange = Exchange(sock, request, self._stop)
        self._next_behaviour(request.path)(exchange)
        return exchange.keep_alive and not self._stop.is_set()


def response_bytes(status: int, *, body: bytes = b"", headers: Headers = ()) -> bytes:
    """Return an answer as it stands on the wire."""
    phrase = HTTPStatus(status).phrase if status in list(HTTPStatus) else "Whatever"
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    names = {name.lower() for name, _ in pairs}
    if "content-length" not in names and status not in (204, 304):
        pairs.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode("latin-1") + body


def _fixed(raw: bytes) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.send(raw)
        exchange.keep_alive = True

    return behave


def _read_request(sock: socket.socket, number: int) -> ReceivedRequest | None:
    buffer = bytearray()
    while b"\r\n\r\n" not in buffer:
        if not (chunk := sock.recv(65536)):
            return None
        buffer += chunk
    arrived_at = time.monotonic()
    head, _, body = bytes(buffer).partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = request_line.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (x.partition(":") for x in lines))
    return ReceivedRequest(
        method=method,
        path=path,
        headers=headers,
        body=_read_body(sock, body, _content_length(headers)),
        arrived_at=arrived_at,
        connection=number,
    )


def _content_length(headers: tuple[tuple[str, str], ...]) -> int:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), 0)


def _read_body(sock: socket.socket, begun: bytes, length: int) -> bytes:
    body = bytearray(begun)
    while len(body) < length:
        if not (chunk := sock.recv(65536)):
            break
        body += chunk
    return bytes(body)


# Misbehaviours, for `Receiver.misbehave` (and, where nothing needs to be read first,
# `Receiver.misbehave_at_once`).


def hang(exchange: Exchange) -> None:
    """Never answer."""
    exchange.wait_for_the_end()


def never_read(exchange: Exchange) -> None:
    """Accept, read nothing, answer nothing (with `misbehave_at_once`)."""
    exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    exchange.stop.wait(_IDLE_TIMEOUT_S)


def answer_after(seconds: float, status: int = 200) -> Behaviour:
    """Answer late."""

    def behave(exchange: Exchange) -> None:
        if not exchange.stop.wait(seconds):
            exchange.send(response_bytes(status))
            exchange.keep_alive = True

    return behave


def drip_status_line(exchange: Exchange) -> None:
    """One byte of a status line each 50 ms, and never its end."""
    exchange.send(b"HTTP/1.1 200 ")
    exchange.repeat(b"O", every_s=0.05)


def drip_headers(exchange: Exchange) -> None:
    """One byte of an endless header each 50 ms."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    exchange.repeat(b"a", every_s=0.05)


def drip_body(exchange: Exchange) -> None:
    """A good status, then one byte of the body each 50 ms."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    exchange.repeat(b"b", every_s=0.05)


def endless_body(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
    exchange.repeat(b"e" * 65536)


def endless_chunks(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.repeat(b"8000\r\n" + b"c" * 0x8000 + b"\r\n")


def endless_interim(status: int = 100, *, every_s: float = 0.0) -> Behaviour:
    """Send 1xx answers for ever."""

    def behave(exchange: Exchange) -> None:
        exchange.repeat(b"HTTP/1.1 %d Interim\r\n\r\n" % status, every_s=every_s)

    return behave


def many_headers(exchange: Exchange) -> None:
    """Two million headers."""
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    for _ in range(2000):
        exchange.send(b"X-Many: 1\r\n" * 1000)


def long_header(exchange: Exchange) -> None:
    """One header of 10 MB."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(160):
        exchange.send(b"l" * 65536)


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(16 * 1024 * 1024))


def gzip_bomb(exchange: Exchange) -> None:
    """16 MB of zeros in 16 kB."""
    exchange.send(response_bytes(200, body=_bomb(), headers={"Content-Encoding": "gzip"}))


def short_body(exchange: Exchange) -> None:
    """Promise 1,000 bytes, send 3, close."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")


def close_at_once(exchange: Exchange) -> None:
    """End the connection without an answer."""
    exchange.socket.shutdown(socket.SHUT_WR)


def reset(exchange: Exchange) -> None:
    """End the connection with an RST."""
    exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.socket.close()


def reset_after(text: bytes) -> Behaviour:
    """Begin an answer, and end the connection with an RST a moment later."""

    def behave(exchange: Exchange) -> None:
        exchange.send(text)
        exchange.stop.wait(0.05)
        reset(exchange)

    return behave


def banner(text: bytes) -> Behaviour:
    """Answer with something that is not HTTP, or nearly is."""

    def behave(exchange: Exchange) -> None:
        exchange.send(text)
        exchange.socket.shutdown(socket.SHUT_WR)
        exchange.wait_for_the_end()

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    return _fixed(response_bytes(status, headers={"Location": location}))
