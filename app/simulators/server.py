"""A small HTTP server on this machine, that can be stopped while it is being talked to."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.simulators.answers import Reply

_POLL_S = 0.02
_IDLE_TIMEOUT_S = 60.0
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came in. Of a header that is repeated, the last is kept."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Server(ThreadingHTTPServer):
    """Answers on 127.0.0.1, a thread a connection; `start` and `stop` it once each."""

    request_queue_size = 512
    daemon_threads = False  # closing waits for them, so that nothing outlives a test

    def __init__(self, port: int, answer: Callable[[Request], Reply]) -> None:
        """Bind to ``port`` (0: any free one); raises OSError where it is taken."""
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _handler(answer))
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL_S,), daemon=True)

    def start(self) -> None:
        """Serve, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more, answer what has come, hang up, and return when all is still."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            connected = list(self._open)
        for connection in connected:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """See `socketserver.ThreadingMixIn`."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """See `socketserver.BaseServer`; its connection is over."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Say nothing: whoever called went away, or we did."""


def _handler(answer: Callable[[Request], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = _IDLE_TIMEOUT_S
        wbufsize = -1  # head and body go out together

        def respond(self) -> None:
            request = Request(
                method=self.command,
                path=self.path,
                headers=dict(self.headers.items()),
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            reply = answer(request)
            self.send_response(reply.status)
            if reply.retry_after_s is not None:
                self.send_header("Retry-After", str(reply.retry_after_s))
            if reply.status not in _WITHOUT_BODY:
                self._send_body(reply)
            else:
                self.end_headers()
            self.wfile.flush()

        def _send_body(self, reply: Reply) -> None:
            body = reply.body.encode()
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - http.server

        def log_message(self, *_args: object) -> None:
            """Say nothing: whoever takes the arrivals prints them."""

    return Handler
