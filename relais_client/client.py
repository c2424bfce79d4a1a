"""The client: one object that speaks to one Relais with one key."""

import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from relais_client.account_calls import AccountCalls
from relais_client.answers import Me
from relais_client.connection import Chance, Connection, read
from relais_client.event_calls import EventCalls
from relais_client.exchange import Exchanger
from relais_client.key_calls import KeyCalls
from relais_client.replays import ReplayCalls
from relais_client.retries import STANDARD, Retries
from relais_client.subscription_calls import SubscriptionCalls


class Relais(EventCalls, AccountCalls, KeyCalls, SubscriptionCalls, ReplayCalls):
    """A connection to Relais, for a vendor's backend.

    Use it as a context manager, or call `close`. It keeps network connections between
    calls; use one per thread.

        with Relais("https://hooks.example.com", key) as relais:
            relais.publish("studio-lumiere", "appointment.create", {"id": 880143})

    Calls are tried again after connection errors, time-outs and the answers 429, 502,
    503 and 504, as long as that cannot do anything twice. All of them can raise the
    subclasses of `RelaisError`.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float = 10.0,
        retries: Retries = STANDARD,
        # So that tests neither wait nor depend on luck:
        _monotonic: Callable[[], float] = time.monotonic,
        _sleep: Callable[[float], None] = time.sleep,
        _fraction: Callable[[], float] = random.random,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            base_url: Where Relais is, without ``/api/v1``.
            key: A publisher key. No repr, log line or exception of the client shows it.
            timeout: Seconds to wait for a connection, and then again for the answer.
            retries: How often and how long a call is tried.

        Raises:
            ValueError: A base URL or a key that cannot be one.
        """
        self._base_url = base_url
        self._connection = Connection(
            Exchanger(base_url, key, timeout_s=timeout),
            retries=retries,
            chance=Chance(monotonic=_monotonic, sleep=_sleep, fraction=_fraction),
        )

    def me(self) -> Me:
        """Return whom the key speaks for; the way to test a base URL and a key."""
        return read(Me.from_json, self._connection.get("/me"))

    def close(self) -> None:
        """Close the network connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Relais({self._base_url!r})"
