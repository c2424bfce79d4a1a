"""A receiver on this machine, to see what Relais sends."""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from app.system.clock import SystemClock

_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request as it came in."""

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class LocalReceiver:
    """Listens on 127.0.0.1, answers everything with one status, and keeps what came.

    A context manager. An arrival stands in ``arrivals`` once it has been answered.
    """

    def __init__(self, *, port: int = 0, status: int = HTTPStatus.NO_CONTENT) -> None:
        """Bind to ``port`` (0: any free one); raises OSError where it is taken."""
        self.arrivals: queue.Queue[Arrival] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self.arrivals, status))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), daemon=True
        )

    @property
    def url(self) -> str:
        """Return the address to send to, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(arrivals: "queue.Queue[Arrival]", status: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            arrival = Arrival(
                at=SystemClock().now(),
                method=self.command,
                path=self.path,
                headers=dict(self.headers.items()),
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            self.send_response(status)
            if status != HTTPStatus.NO_CONTENT:
                self.send_header("Content-Length", "0")
            self.end_headers()
            self.wfile.flush()
            arrivals.put(arrival)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server

        def log_message(self, *_args: object) -> None:
            """Say nothing: whoever takes the arrivals prints them."""

    return Handler
