"""The day as a person reads it: what fired, what did not, and why; 100 columns wide."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import click

from app.cli.demo.run import Happened, Story
from app.cli.demo.telling import became, real_type, told
from app.cli.text import clip, pad, width, wrap
from app.core.catalogs import Catalog
from relais_client.wire import JsonObject

_COLUMNS = 100
_INDENT = " " * 8
_NAME_COLUMNS = 42
# Reasons that are about the event itself: said once, not for each webhook.
_ABOUT_THE_EVENT = frozenset({"account_off", "collapsed", "silent_origin"})
_NOT_CONCERNED = "other_trigger"
_PAUSED = "paused"
# Of each product, the first payload of this type is shown in full.
_SHOWN = ("appointment.place", "contact.added", "cdr.completed", "document.on_submit")
# Shorter than the sentences of the API, for the totals.
_REASONS = {
    "silent_origin": "the event is of an origin that fires nothing",
    "collapsed": "a later change in the same transaction stands for it",
    "account_off": "the account is switched off",
    "paused": "the webhook is paused",
    "trigger_unavailable": "the account lacks a feature that the trigger needs",
    "filter_false": "its filter is false",
    "other_resource": "it is restricted to other resources",
    "other_trigger": "its triggers do not listen to the event",
}


def print_report(story: Story) -> None:
    """Print the whole day."""
    for catalog in story.registry.products.values():
        for line in _product(story, catalog):
            click.echo(line)
    for line in (*_payloads(story), *_totals(story)):
        click.echo(line)


def _product(story: Story, catalog: Catalog) -> Iterator[str]:
    for account in story.day.accounts:
        if catalog.key not in account["catalogs"]:
            continue
        happened = [one for one in story.happened if one.event.account == account["reference"]]
        language = story.languages[account["reference"]]
        yield from _heading(f"{catalog.name.in_language(language)} – {account['name']}")
        for one in happened:
            yield from _event(story, one)


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield click.style(text, bold=True)
    yield "─" * _COLUMNS


def _event(story: Story, one: Happened) -> Iterator[str]:
    language = story.languages[one.event.account]
    moment = "" if one.event.occurred_at is None else f"{one.event.occurred_at:%H:%M}"
    what = told(story.registry, one.event, language)
    yield clip(f"{moment}   {pad(one.event.type, 32)} {what}", _COLUMNS)
    if (real := became(story.registry, one.event, language)) is not None:
        yield f"{_INDENT}→ its record is attached to another one, so it counts as {real}"
    if one.published.diverted:
        yield f"{_INDENT}→ diverted: the product does not send this message itself"
    yield from _fired(story, one.explanations)
    yield from _not_fired(story, one)


def _fired(story: Story, explanations: Sequence[JsonObject]) -> Iterator[str]:
    for one in explanations:
        if one["fired"]:
            delivery = story.deliveries[one["delivery_id"]]
            name = pad(clip(one["subscription"]["name"], _NAME_COLUMNS), _NAME_COLUMNS)
            mark = click.style("✓", fg="green")
            took = _took(delivery)
            ms = "" if took is None else f"{took / timedelta(milliseconds=1):5.0f} ms"
            yield f"{_INDENT}{mark} {name}  {delivery['state']} {ms}"


def _not_fired(story: Story, one: Happened) -> Iterator[str]:
    about_event = [each for each in one.explanations if each["reason"] in _ABOUT_THE_EVENT]
    if about_event:
        yield from _reason("", about_event[0]["text"])
        return
    concerned = [each for each in one.explanations if _is_concerned(story, one, each)]
    for each in concerned:
        if not each["fired"]:
            yield from _reason(each["subscription"]["name"], each["text"])
    if not concerned:
        yield click.style(f"{_INDENT}· no webhook listens to this", dim=True)


def _is_concerned(story: Story, one: Happened, explanation: JsonObject) -> bool:
    """Say whether the webhook listens to such events; a paused one may not even that."""
    if explanation["reason"] != _PAUSED:
        return bool(explanation["reason"] != _NOT_CONCERNED)
    triggers = story.triggers_of[explanation["subscription"]["id"]]
    hearing = story.registry.triggers_hearing(real_type(story.registry, one.event))
    return any(trigger.key in triggers for trigger in hearing)


def _reason(name: str, text: str) -> Iterator[str]:
    shown = pad(clip(name, _NAME_COLUMNS), _NAME_COLUMNS) + "  " if name else ""
    margin = " " * (len(_INDENT) + 2 + width(shown))
    first, *more = wrap(text, _COLUMNS - len(margin))
    yield f"{_INDENT}{click.style('–', fg='yellow')} {shown}{first}"
    yield from (f"{margin}{line}" for line in more)


def _took(delivery: JsonObject) -> timedelta | None:
    if not delivery["settled_at"]:
        return None
    begun, ended = (datetime.fromisoformat(delivery[at]) for at in ("created_at", "settled_at"))
    return ended - begun


def _payloads(story: Story) -> Iterator[str]:
    for event_type in _SHOWN:
        shown = next(
            (
                (one.event, explanation)
                for one in story.happened
                for explanation in one.explanations
                if one.event.type == event_type and explanation["fired"]
            ),
            None,
        )
        if shown is not None:
            event, explanation = shown
            payload = story.payload_of(event, explanation["delivery_id"])
            yield from _heading(f"What “{explanation['subscription']['name']}” received")
            yield json.dumps(payload, indent=2, ensure_ascii=False)


def _totals(story: Story) -> Iterator[str]:
    states = Counter(one["state"] for one in story.deliveries.values())
    reasons = Counter(
        explanation["reason"]
        for one in story.happened
        for explanation in one.explanations
        if not explanation["fired"]
    )
    times = [took for one in story.deliveries.values() if (took := _took(one)) is not None]
    longest = max(times, default=timedelta()) / timedelta(milliseconds=1)
    yield from _heading("The day in numbers")
    yield f"Events published                {len(story.happened)}"
    yield f"Deliveries                      {len(story.deliveries)}: {_counted(states)}"
    yield f"Signatures that fit             {story.genuine} of {story.arrived}"
    yield f"Longest, accepted to delivered  {longest:.0f} ms"
    yield f"Messages diverted               {sum(one.published.diverted for one in story.happened)}"
    yield f"Events × webhooks, not fired    {reasons.total()}, because"
    for reason, count in reasons.most_common():
        yield f"{'':28}{count:>5}  {_REASONS.get(reason, reason)}"
    if not story.settled:
        yield "Not every delivery had ended when the demo stopped waiting."


def _counted(counts: "Counter[str]") -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
