"""The port to the network: what is to be sent, and who sends it."""

from typing import NamedTuple, Protocol

from app.core.deliveries import Outcome


class HttpRequest(NamedTuple):
    """One attempt, ready to be sent; made by keywords.

    A tuple, since one is made for each attempt: a frozen dataclass costs four times as much.

    Attributes:
        token: Its name; comes back with the outcome.
        method: Any token but CONNECT; each may have a body but HEAD.
        target_url: The ``href`` of an `app.core.target_urls.TargetUrl`.
        headers: Names and values, already validated; sent as they are.
        body: The very bytes to be sent.
        total_timeout_s: From the start, name look-up included, to the answer's last byte.
        connect_timeout_s: Name look-up (at most 3 s), TCP and TLS together; part of the
            total.
    """

    token: str
    method: str
    target_url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    total_timeout_s: float = 15
    connect_timeout_s: float = 5


class Caller(Protocol):
    """Sends one request and waits for its end: for calls that are rare.

    Any thread may call. What the network did is a value: nothing is raised for it.
    """

    def exchange(self, request: HttpRequest) -> Outcome:
        """Return what ``request`` came to; its total timeout at the latest."""


class Sender(Protocol):
    """Sends many requests at once, driven by one loop.

    Everything but `wakeup` belongs to one thread. What the network did is a value: no
    method raises for it.
    """

    def submit(self, request: HttpRequest) -> None:
        """Start a request; a later `poll` returns its outcome exactly once."""

    @property
    def in_flight(self) -> int:
        """Return how many requests have not come back from `poll` yet."""

    def poll(self, timeout_s: float) -> list[tuple[str, Outcome]]:
        """Drive the requests and return those that ended, as (token, outcome).

        Returns at the latest after ``timeout_s`` seconds, with an empty list; at once
        when a request ends or somebody calls `wakeup`. Waits even with none in flight.
        """

    def wakeup(self) -> None:
        """Make the running `poll`, or else the next one, return. Any thread may call."""

    def close(self) -> None:
        """Drop what is in flight, without outcomes, and free every connection."""
