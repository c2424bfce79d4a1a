"""A Relais that the tests script: a real HTTP server on loopback, and a client for it."""

import json
import socket
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from relais_client import Relais, Retries

KEY = "rk_pub_c4n4ry7hatmustneverbeseen"
PUBLISHED = {
    "id": "evt_1",
    "deliveries": 2,
    "diverted": False,
    "disposition": "open",
    "warnings": [],
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict
    headers: dict
    body: object


class FakeRelais:
    """Answers with what `answers` scripted, in order, and keeps the requests."""

    def __init__(self):
        self.requests = []
        self._script = deque()
        self._by_path = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def answers(self, status, document=None, /, **headers):
        """Script an answer; header names with ``_`` for ``-``."""
        body = b"" if document is None else json.dumps(document).encode()
        return self.answers_bytes(status, body, **headers)

    def answers_bytes(self, status, body, /, **headers):
        """Script an answer that need not be JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._script.append((status, named, body))
        return self

    def refuses(self, status, code, /, *, errors=(), **headers):
        """Script a problem."""
        problem = {
            "type": f"/problems/{code}",
            "title": code.capitalize(),
            "status": status,
            "code": code,
            "detail": f"It is {code}.",
            "errors": list(errors),
            "request_id": "req_7",
        }
        return self.answers(status, problem, **headers)

    def always_answers(self, method, path, status, document):
        """Give a path an answer for when nothing is scripted."""
        self._by_path[(method, path)] = (status, {}, json.dumps(document).encode())
        return self

    def drops(self):
        """Script a connection that closes after the request, without an answer."""
        self._script.append(None)
        return self

    def stop(self):
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _standing(self, request):
        return self._by_path[(request.method, request.path.removeprefix("/api/v1"))]

    def _handler(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                url = urlsplit(self.path)
                request = Request(
                    method=self.command,
                    path=url.path,
                    query=parse_qs(url.query),
                    headers=dict(self.headers.items()),
                    body=json.loads(raw) if raw else None,
                )
                fake.requests.append(request)
                scripted = fake._script.popleft() if fake._script else fake._standing(request)
                if scripted is None:
                    self.close_connection = True
                    return
                status, headers, body = scripted
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server

            def log_message(self, *_args):
                pass

        return Handler


class FakeTime:
    """A clock that sleeping moves; nobody waits."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def fake():
    server = FakeRelais()
    yield server
    server.stop()


@pytest.fixture
def time():
    return FakeTime()


@pytest.fixture
def key():
    return KEY


@pytest.fixture
def published():
    return dict(PUBLISHED)


@pytest.fixture
def connect(time):
    """Return a maker of clients whose waits are exact: half the delay, and no luck."""
    opened = []

    def make(base_url, **changes):
        options = {"retries": Retries(attempts=4, total_s=60, first_delay_s=2, max_delay_s=8)}
        client = Relais(
            base_url,
            KEY,
            **(options | changes),
            _monotonic=time.monotonic,
            _sleep=time.sleep,
            _fraction=lambda: 0.0,
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def relais(fake, connect):
    return connect(fake.base_url)


@pytest.fixture
def free_url():
    """Return a URL where nobody listens: its port is taken but not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silent_url():
    """Return a URL whose server takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
