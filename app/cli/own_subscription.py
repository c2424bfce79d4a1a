"""The subscription that `relais listen` makes for as long as it runs."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from app.cli.remote import SubscriberCalls, subscriber
from relais_client import RefusedError, RelaisError
from relais_client.wire import Json

_POLL_S = 0.1


@dataclass(slots=True, kw_only=True)
class OwnSubscription:
    """A subscription of ours.

    Attributes:
        secret: What its deliveries are signed with.
        has_ended: Whether Relais has been seen to end it; nobody unsubscribes then.
    """

    calls: SubscriberCalls = field(repr=False)
    id: str
    secret: str = field(repr=False)
    has_ended: bool = False

    def ends_within(self, seconds: float) -> bool:
        """Return whether Relais has ended it, as soon as it has; at the latest in ``seconds``.

        Relais settles a delivery a moment after it has been answered.
        """
        deadline = time.monotonic() + seconds
        while not self.has_ended and time.monotonic() < deadline:
            self.has_ended = not self.calls.is_live(self.id)
            if not self.has_ended:
                time.sleep(_POLL_S)
        return self.has_ended


@contextlib.contextmanager
def subscribed(wish: Json, url: str, key: str | None) -> Iterator[OwnSubscription]:
    """Subscribe for as long as the context lasts."""
    if key is None:
        raise click.UsageError("--trigger needs an account --key (or RELAIS_KEY).")
    with subscriber(url, key) as calls:
        made = _subscribe(calls, wish)
        # One that an earlier run left behind shows its secret no more.
        secret = made.get("secret") or calls.new_secret(made["id"])
        own = OwnSubscription(calls=calls, id=made["id"], secret=secret)
        try:
            yield own
        finally:
            if not own.has_ended:
                _unsubscribe(own)


def _subscribe(calls: SubscriberCalls, wish: Json) -> Json:
    try:
        return calls.subscribe(wish)
    except RefusedError as refused:
        if any(one.field == "target_url" for one in refused.errors):
            hint = "Start it with RELAIS_ALLOWED_NETWORKS=127.0.0.0/8, or with `make run`."
            raise click.ClickException(f"This Relais calls nothing on its machine. {hint}") from (
                refused
            )
        raise


def _unsubscribe(own: OwnSubscription) -> None:
    try:
        own.calls.unsubscribe(own.id)
    except RelaisError as problem:
        click.echo(f"The subscription {own.id} is still there: {problem}", err=True)
    else:
        click.echo("Unsubscribed.")
