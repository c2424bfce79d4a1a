"""The sender alone: CPU time of one process per request, guarded and signed.

The requests go to 50 names that all lead to a sink on loopback, over kept connections;
each has a body of 1 KB and is signed. The sink is a forked process with a loop of its
own, so that what is counted is the sending process only: its CPU time (user and system)
per request, whatever else the machine does. See README.md.
"""

import argparse
import contextlib
import json
import os
import platform
import select
import signal
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Network

import pycurl

from app.core import signing, signing_secrets
from app.core.sending import HttpRequest
from app.transport.sender import CurlSender

LOOPBACK = "127.0.0.1"
SECRET = signing_secrets.new_secret(bytes(range(24)))
_END = b'"end":true}'
BODY = b'{"id":"evt_1","filler":"' + b"x" * (1024 - 36) + b'",' + _END
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nServer: sink\r\n"
    b"Content-Type: application/json\r\nContent-Length: 11\r\n"
    b'Connection: keep-alive\r\n\r\n{"ok":true}'
)


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Run the sink in a process of its own and yield its port."""
    with socket.create_server((LOOPBACK, 0), backlog=1024) as listener:
        pid = os.fork()
        if pid == 0:
            _serve(listener)
        port: int = listener.getsockname()[1]
        try:
            yield port
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _serve(listener: socket.socket) -> None:
    """Answer each end of a body with 200, for ever."""
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif data := clients[fd].recv(65536):
                clients[fd].send(_ANSWER * data.count(_END))
            else:
                clients.pop(fd).close()


def make_sender() -> CurlSender:
    """Return a sender for which every name leads to the sink."""
    row = (socket.AF_INET, socket.SOCK_STREAM, 0, "", (LOOPBACK, 0))
    return CurlSender(
        user_agent="Relais/bench",
        clock=lambda: datetime.now(UTC),
        allowed_networks=[IPv4Network("127.0.0.0/8")],
        getaddrinfo=lambda *_args, **_hints: [row],
    )


def signed_request(number: int, urls: Sequence[str]) -> HttpRequest:
    """Return a request as the worker makes it."""
    token = f"dlv_{number}"
    signature = signing.headers([SECRET], message_id=token, timestamp=1_930_413_604, body=BODY)
    return HttpRequest(
        token=token,
        method="POST",
        target_url=urls[number % len(urls)],
        headers=(("Content-Type", "application/json"), *signature),
        body=BODY,
    )


def drive(sender: CurlSender, urls: Sequence[str], count: int, in_flight: int) -> None:
    """Send ``count`` requests, at most ``in_flight`` at once.

    Raises:
        SystemExit: One of them failed.
    """
    submitted = ended = 0
    while ended < count:
        while submitted < count and sender.in_flight < in_flight:
            sender.submit(signed_request(submitted, urls))
            submitted += 1
        for token, outcome in sender.poll(1):
            if not outcome.is_success:
                raise SystemExit(f"{token}: {outcome.kind} {outcome.detail}")
            ended += 1


def signing_us(count: int) -> float:
    """Return the CPU µs that making and signing one request takes, without sending it."""
    started = time.process_time()
    for number in range(count):
        signed_request(number, ["http://localhost/"])
    return (time.process_time() - started) / count * 1e6


def measure(options: argparse.Namespace, port: int) -> tuple[float, float]:
    """Return the CPU µs per request, and the requests per second of wall time."""
    urls = [f"http://host-{number}.example.com:{port}/hook" for number in range(options.hosts)]
    sender = make_sender()
    drive(sender, urls, 4 * options.in_flight, options.in_flight)  # connections are made
    cpu, wall = time.process_time(), time.perf_counter()
    drive(sender, urls, options.requests, options.in_flight)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    sender.close()
    return cpu / options.requests * 1e6, options.requests / wall


def spread(figures: Sequence[float]) -> str:
    """Return the median, the least and the most of what runs gave."""
    median = statistics.median(figures)
    return f"{median:8,.1f}  (least {min(figures):,.1f}, most {max(figures):,.1f})"


def read_options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000, help="of each run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print the medians only, as JSON")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = read_options()
    with sink() as port:
        runs = [measure(options, port) for _ in range(options.runs)]
    figures = {
        "requests/s per core": [1e6 / us for us, _ in runs],
        "CPU µs per request": [us for us, _ in runs],
        "signing, CPU µs": [signing_us(2_000) for _ in runs],
        "requests/s by the clock": [rate for _, rate in runs],
    }
    if options.json:
        print(json.dumps({name: statistics.median(values) for name, values in figures.items()}))
        return
    print(f"Python {platform.python_version()}, {pycurl.version}")
    print(f"{options.hosts} hosts, {options.in_flight} in flight, body of {len(BODY)} bytes")
    for name, values in figures.items():
        print(f"{name:24}{spread(values)}")


if __name__ == "__main__":
    main()
