"""``relais publish``: publish one event by hand."""

import json
import sys
from pathlib import Path

import click

from app.catalog import load_registry
from app.cli.remote import publisher, url_option
from app.config import Settings
from app.core.accounts import Overlay
from app.core.samples import sample_data, sample_role, with_samples
from app.core.shapes import data_shape
from relais_client import Actor, Published
from relais_client.wire import Json

_DISPOSITIONS = {
    "silent": "Events of this origin are silent; --notify may lift that.",
    "collapsed": "A later event of its transaction stands for it.",
    "account_off": "The account is switched off.",
}


@click.command()
@click.argument("event_type", metavar="TYPE")
@click.option("--account", required=True, help="The account's reference or id.")
@click.option("--data", metavar="JSON", help="The record as JSON, @FILE, or - for standard input.")
@click.option("--example", is_flag=True, help="The catalog's example; --data goes on top of it.")
@click.option("--role", type=int, help="The role of whoever did it [the example's].")
@click.option("--origin", help="How it came about: api, import, …")
@click.option("--notify", is_flag=True, help="Lift the silence of the origin.")
@click.option("--idempotency-key", help="Publishing again under the same key changes nothing.")
@url_option
@click.option(
    "--key", envvar="RELAIS_KEY", required=True, show_envvar=True, help="A publisher key."
)
def publish(  # noqa: PLR0913 - one an option
    *,
    event_type: str,
    account: str,
    data: str | None,
    example: bool,
    role: int | None,
    origin: str | None,
    notify: bool,
    idempotency_key: str | None,
    url: str,
    key: str,
) -> None:
    """Publish an event of TYPE, such as appointment.create."""
    record, example_role = _record(event_type, data, example=example)
    actor_role = example_role if role is None else role
    with publisher(url, key) as relais:
        published = relais.publish(
            account,
            event_type,
            record,
            actor=None if actor_role is None else Actor(role=actor_role),
            origin=origin,
            notify=notify or None,
            idempotency_key=idempotency_key,
        )
    click.echo("\n".join(_answer_lines(published)))


def _record(
    event_type: str, data: str | None, *, example: bool
) -> tuple[dict[str, Json], int | None]:
    """Return the record, and the role of whoever caused the example, if it is one."""
    if data is None and not example:
        raise click.UsageError("Give the record with --data, or take the --example.")
    record, role = _example(event_type) if example else ({}, None)
    return record | ({} if data is None else _read(data)), role


def _example(event_type: str) -> tuple[dict[str, Json], int | None]:
    """Return what the catalog's samples make, without an account's own fields."""
    registry = load_registry(Settings.from_env().catalogs)
    catalog, event = registry.catalog_of_event(event_type), registry.event_type(event_type)
    if catalog is None or event is None:
        raise click.BadParameter(
            f"There is no event type {event_type!r}. `relais catalog list` shows them.",
            param_hint="TYPE",
        )
    shape = data_shape(catalog, catalog.subjects[event.subject], Overlay())
    role = sample_role(event, registry.envelope) if catalog.roles else None
    return sample_data(with_samples(shape, event.samples)), role


def _read(data: str) -> dict[str, Json]:
    try:
        record = json.loads(_text(data))
    except (OSError, ValueError) as problem:
        raise click.BadParameter(f"{problem}", param_hint="--data") from problem
    if not isinstance(record, dict):
        raise click.BadParameter("The record is a JSON object.", param_hint="--data")
    return record


def _text(data: str) -> str:
    if data == "-":
        return sys.stdin.read()
    return Path(data[1:]).read_text() if data.startswith("@") else data


def _answer_lines(published: Published) -> list[str]:
    lines = [f"Accepted {published.id}: fires {_webhooks(published.deliveries)}."]
    if published.replayed:
        lines.append("It had been accepted before; this is the first answer again.")
    if published.disposition in _DISPOSITIONS:
        lines.append(_DISPOSITIONS[published.disposition])
    if published.diverted:
        lines.append("Diverted: a subscriber sends this message; the product should not.")
    lines += [f"Warning: {one.field}: {one.message}" for one in published.warnings]
    return lines


def _webhooks(count: int) -> str:
    return {0: "no webhook", 1: "1 webhook"}.get(count, f"{count} webhooks")
