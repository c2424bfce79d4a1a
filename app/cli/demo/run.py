"""Let the day happen, and find out what came of it."""

import contextlib
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import click

from app.catalog import load_registry
from app.cli.demo.day import Day, overlay_of
from app.cli.demo.instance import Instance
from app.cli.receiver import Arrival, LocalReceiver
from app.cli.remote import SubscriberCalls, publisher, without_empty
from app.core.catalogs import Registry
from relais_client import NewEvent, Published, Relais, Resource
from relais_client.verify import VerificationError, verify
from relais_client.wire import Json, JsonObject

_SETTLE_S = 30.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event, what was answered to its publisher, and each subscription's reason."""

    event: NewEvent
    published: Published
    explanations: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What came of the day.

    Attributes:
        triggers_of: The triggers of each subscription, by its id.
        languages: Of each account, by its reference.
        happened: In the order of time.
        deliveries: By their id.
        payload_of: Fetches what a delivery sent.
        genuine: How many requests arrived with a signature that fits.
        arrived: How many requests arrived.
        settled: Whether every delivery had ended in time.
    """

    day: Day
    registry: Registry
    triggers_of: Mapping[str, tuple[str, ...]]
    languages: Mapping[str, str]
    happened: tuple[Happened, ...]
    deliveries: Mapping[str, JsonObject]
    payload_of: Callable[[NewEvent, str], JsonObject]
    genuine: int
    arrived: int
    settled: bool


def run_day(
    day: Day, instance: Instance, receiver: LocalReceiver, *, language: str | None
) -> Story:
    """Make the accounts and webhooks, publish the events, wait, and ask what came of it."""
    with publisher(instance.url, instance.publisher_key) as relais:
        calls = {one["reference"]: _account(relais, instance, one) for one in day.accounts}
        made = _subscribe_all(day, calls, receiver.url)
        _change_features(day, relais)
        answers = _publish_all(day, relais)
    deliveries, settled = _settled_deliveries(calls)
    arrivals = _arrivals(receiver, sum(one["state"] == "succeeded" for one in deliveries.values()))
    secrets = {urlsplit(one["target_url"]).path: one["secret"] for one in made}
    languages = {one["reference"]: language or one["language"] for one in day.accounts}
    return Story(
        day=day,
        registry=load_registry(),
        triggers_of={one["id"]: tuple(one["triggers"]) for one in made},
        languages=languages,
        happened=tuple(_explained(answers, calls, languages)),
        deliveries=deliveries,
        payload_of=lambda event, delivery_id: calls[event.account].delivery(delivery_id)["payload"],
        genuine=sum(_is_genuine(one, secrets) for one in arrivals),
        arrived=len(arrivals),
        settled=settled,
    )


def _account(relais: Relais, instance: Instance, document: JsonObject) -> SubscriberCalls:
    reference = document["reference"]
    relais.create_account(
        reference,
        document["name"],
        language=document["language"],
        catalogs=document["catalogs"],
        features=document["features"],
    )
    relais.put_overlay(reference, overlay_of(document["overlay"]))
    for kind, resources in document["resources"].items():
        relais.put_resources(reference, kind, [Resource(**one) for one in resources])
    return SubscriberCalls(instance.url, relais.create_key("demo", account=reference).key)


def _subscribe_all(
    day: Day, calls: Mapping[str, SubscriberCalls], receiver_url: str
) -> list[JsonObject]:
    """Make every subscription, on a path of its own, and return them with their secrets."""
    made: list[JsonObject] = []
    for index, wish in enumerate(day.subscriptions):
        subscription = calls[wish["account"]].subscribe(
            without_empty(
                name=wish["name"],
                triggers=wish["triggers"],
                target_url=f"{receiver_url}/{wish['account']}/{index}",
                resource_ids=wish["resource_ids"],
                filters=wish["filters"],
            )
        )
        made.append(subscription)
        if wish.get("paused"):
            calls[wish["account"]].pause(subscription["id"])
    return made


def _change_features(day: Day, relais: Relais) -> None:
    for document in day.accounts:
        if features := document.get("features_after_subscribing"):
            relais.update_account(document["reference"], features=features)


def _publish_all(day: Day, relais: Relais) -> list[tuple[NewEvent, Published]]:
    answers: list[tuple[NewEvent, Published]] = []
    label = f"Publishing {day.event_count} events"
    with click.progressbar(day.batches, label=label, show_eta=False) as batches:
        for batch in batches:
            answers += zip(batch, relais.publish_batch(batch), strict=True)
    return answers


def _settled_deliveries(
    calls: Mapping[str, SubscriberCalls],
) -> tuple[dict[str, JsonObject], bool]:
    """Return all deliveries once they have ended, or as they stand after half a minute."""
    deadline = time.monotonic() + _SETTLE_S
    while True:
        found = {one["id"]: one for account in calls.values() for one in account.deliveries()}
        settled = all(one["settled_at"] for one in found.values())
        if settled or time.monotonic() > deadline:
            return found, settled
        time.sleep(_POLL_S)


def _arrivals(receiver: LocalReceiver, count: int) -> list[Arrival]:
    """Return what came in; an answer is on its way a moment before it is written down."""
    found: list[Arrival] = []
    with contextlib.suppress(queue.Empty):
        while len(found) < count:
            found.append(receiver.arrivals.get(timeout=1.0))
    return found


def _is_genuine(arrival: Arrival, secrets: Mapping[str, str]) -> bool:
    try:
        verify(secrets[arrival.path], arrival.headers, arrival.body)
    except VerificationError:
        return False
    return True


def _explained(
    answers: list[tuple[NewEvent, Published]],
    calls: Mapping[str, SubscriberCalls],
    languages: Mapping[str, str],
) -> Iterator[Happened]:
    for event, published in answers:
        found: list[Json] = calls[event.account].explanations(
            published.id, language=languages[event.account]
        )
        yield Happened(event=event, published=published, explanations=tuple(found))
