"""Requests for the sender's tests, and ways to wait for what becomes of them."""

import time
from datetime import UTC, datetime
from ipaddress import IPv4Network

from app.core.deliveries import Outcome
from app.core.sending import HttpRequest, Sender
from app.transport.sender import CurlSender

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LOOPBACK = (IPv4Network("127.0.0.0/8"),)


def make_sender(**changes) -> CurlSender:
    options = {"user_agent": "Relais/9", "clock": lambda: NOW, "allowed_networks": LOOPBACK}
    return CurlSender(**{**options, **changes})


def a_request(target_url: str, **changes) -> HttpRequest:
    values = {
        "token": "dlv_1",
        "method": "POST",
        "target_url": target_url,
        "headers": (("Content-Type", "application/json"),),
        "body": b'{"a":1}',
        "total_timeout_s": 2.0,
        "connect_timeout_s": 1.0,
    }
    return HttpRequest(**{**values, **changes})


def collect(sender: Sender, count: int, *, within_s: float = 5.0) -> list[tuple[str, Outcome]]:
    """Return ``count`` outcomes in the order in which they came."""
    deadline = time.monotonic() + within_s
    ended = []
    while len(ended) < count and time.monotonic() < deadline:
        ended += sender.poll(0.1)
    assert len(ended) == count
    return ended


def send(sender: Sender, target_url: str, **changes) -> Outcome:
    sender.submit(a_request(target_url, **changes))
    [(_, outcome)] = collect(sender, 1)
    return outcome
