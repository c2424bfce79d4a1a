"""Commands that talk to a running Relais over HTTP, wherever it is."""

import contextlib
import random
import time
from collections.abc import Iterator, Mapping
from typing import Self, TypeVar

import click

from relais_client import NotFoundError, Relais, Retries, UnreachableError
from relais_client.connection import Chance, Connection
from relais_client.exchange import Call, Exchanger
from relais_client.wire import Json, JsonObject, segment

Caller = TypeVar("Caller", "Relais", "SubscriberCalls")

DEFAULT_URL = "http://127.0.0.1:8585"

# A person waits for the answer.
_RETRIES = Retries(attempts=3, total_s=5.0)
_TIMEOUT_S = 10.0
_PAGE_SIZE = 100

url_option = click.option(
    "--url",
    envvar="RELAIS_URL",
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="Where Relais is.",
)


@contextlib.contextmanager
def publisher(url: str, key: str) -> Iterator[Relais]:
    """Connect with a publisher key."""
    with _said_plainly(url), _made(Relais, url, key) as relais:
        yield relais


@contextlib.contextmanager
def subscriber(url: str, key: str) -> Iterator["SubscriberCalls"]:
    """Connect with an account key."""
    with _said_plainly(url), _made(SubscriberCalls, url, key) as calls:
        yield calls


class SubscriberCalls:
    """What an account can do that the publisher's client has no calls for."""

    def __init__(self, url: str, key: str, *, retries: Retries = _RETRIES) -> None:
        """Prepare; nothing is sent yet. Raises ValueError as `Relais` does."""
        self._connection = Connection(
            Exchanger(url, key, timeout_s=_TIMEOUT_S),
            retries=retries,
            chance=Chance(monotonic=time.monotonic, sleep=time.sleep, fraction=random.random),
        )

    def subscribe(self, wish: JsonObject) -> Json:
        """Subscribe and return the subscription; a new one comes with its ``secret``."""
        return self._connection.send("POST", "/subscriptions", wish)

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription."""
        path = f"/subscriptions/{segment(subscription_id)}"
        self._connection.perform(Call(method="DELETE", path=path))

    def is_live(self, subscription_id: str) -> bool:
        """Return whether a subscription is there and has not ended."""
        try:
            self._connection.get(f"/subscriptions/{segment(subscription_id)}")
        except NotFoundError:
            return False
        return True

    def pause(self, subscription_id: str) -> None:
        """Pause a subscription."""
        self._act(subscription_id, "pause")

    def new_secret(self, subscription_id: str) -> str:
        """Replace a subscription's secret and return the new one."""
        return str(self._act(subscription_id, "secret")["secret"])

    def explanations(self, event_id: str, *, language: str) -> list[Json]:
        """Return, for each subscription, why an event fired it or did not."""
        path = f"/events/{segment(event_id)}/explanations"
        return list(self._connection.get(path, language=language)["data"])

    def deliveries(self) -> Iterator[Json]:
        """Yield the account's deliveries, newest first."""
        return self._connection.pages("/deliveries", limit=_PAGE_SIZE)

    def delivery(self, delivery_id: str) -> Json:
        """Return a delivery with its payload and its attempts."""
        return self._connection.get(f"/deliveries/{segment(delivery_id)}")

    def close(self) -> None:
        """Close the network connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _act(self, subscription_id: str, action: str) -> Json:
        path = f"/subscriptions/{segment(subscription_id)}/{action}"
        return self._connection.send("POST", path, {})


def without_empty(**fields: Json) -> Mapping[str, Json]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, [], ())}


def _made(kind: type[Caller], url: str, key: str) -> Caller:
    try:
        return kind(url, key, retries=_RETRIES)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from problem


@contextlib.contextmanager
def _said_plainly(url: str) -> Iterator[None]:
    try:
        yield
    except UnreachableError as problem:
        raise click.ClickException(
            f"Relais does not answer at {url}: {problem}. Start it with `relais serve`."
        ) from problem
