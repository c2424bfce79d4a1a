"""The example day: accounts, webhooks and events of four products, from examples/."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from relais_client import Actor, CustomField, Form, FormField, NewEvent, Overlay
from relais_client.wire import Json, JsonObject

EXAMPLES = Path(__file__).parents[3] / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What happens: ``batches`` of events in the order of time.

    Events of one publisher transaction share a batch; all others stand alone.
    """

    accounts: tuple[JsonObject, ...]
    subscriptions: tuple[JsonObject, ...]
    batches: tuple[tuple[NewEvent, ...], ...]

    @property
    def event_count(self) -> int:
        """Return how many events there are."""
        return sum(map(len, self.batches))


def load_day(folder: Path = EXAMPLES) -> Day:
    """Read the day; raises ClickException where the files are not there."""
    if not folder.is_dir():
        raise click.ClickException(
            "The demo needs the folder examples/ of the source code; there is none here."
        )
    events = [one for file in sorted((folder / "events").glob("*.json")) for one in _read(file)]
    return Day(
        accounts=tuple(_read(folder / "accounts.json")),
        subscriptions=tuple(_read(folder / "subscriptions.json")),
        batches=tuple(_batches(sorted(map(_event, events), key=_moment))),
    )


def overlay_of(document: JsonObject) -> Overlay:
    """Return an account's overlay as the client takes it."""
    return Overlay(
        optional_fields=document["optional_fields"],
        custom_fields=[CustomField(**one) for one in document["custom_fields"]],
        forms=[
            Form(**{**one, "fields": [FormField(**field) for field in one["fields"]]})
            for one in document["forms"]
        ],
    )


def _read(file: Path) -> Json:
    return json.loads(file.read_text())


def _event(document: JsonObject) -> NewEvent:
    actor = document.get("actor")
    return NewEvent(
        **{
            **document,
            "occurred_at": datetime.fromisoformat(document["occurred_at"]),
            "actor": None if actor is None else Actor(**actor),
        }
    )


def _moment(event: NewEvent) -> datetime:
    if event.occurred_at is None:
        raise ValueError("an example without occurred_at")
    return event.occurred_at


def _batches(events: Sequence[NewEvent]) -> Iterator[tuple[NewEvent, ...]]:
    together: dict[object, list[NewEvent]] = {}
    for index, event in enumerate(events):
        own = event.transaction is None
        together.setdefault(index if own else (event.account, event.transaction), []).append(event)
    return map(tuple, together.values())
