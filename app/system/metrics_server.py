"""A port for metrics alone, on loopback: for processes that serve no API."""

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from app.core import exposition

log = logging.getLogger(__name__)
_PATH = "/metrics"
_SLOWEST_S = 5


class MetricsServer:
    """Answers ``GET /metrics`` on 127.0.0.1, one request after the other."""

    def __init__(self, port: int, text: Callable[[], str]) -> None:
        """Listen on the port, 0 for any free one; ``text`` is asked for each answer.

        Raises:
            OSError: The port is taken.
        """
        self._server = HTTPServer(("127.0.0.1", port), _handler(text))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics-port", daemon=True
        )

    def start(self) -> None:
        """Answer from now on, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SLOWEST_S  # who sends nothing must not keep the others waiting

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != _PATH:
                self.send_error(404)
                return
            body = text().encode()
            self.send_response(200)
            self.send_header("Content-Type", exposition.CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as above
            log.debug("metrics.asked", extra={"request": format % args})

    return Handler
