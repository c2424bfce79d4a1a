"""Samples: what a subscription would have been sent, from the delivery's serializer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from app.core import filters
from app.core.accounts import Account
from app.core.catalogs import Trigger
from app.core.errors import FieldProblem, InvalidRequestError
from app.core.events import Event
from app.core.fields import Field, FieldType
from app.core.filter_reading import read_filter
from app.core.filters import AllOf, Filter, Op, Term
from app.core.ids import AccountId
from app.core.jsontypes import Json
from app.core.ports import Tx
from app.core.publishing import resource_id_of
from app.core.records import EventQuery
from app.core.shapes import flatten
from app.services.context import Context
from app.services.triggers import (
    Example,
    account_in,
    example_payload,
    payload_of_event,
    require_trigger,
    shape_for,
)

# How many stored events one question looks at; a rare match further back is not found.
_MAX_SCANNED = 500
_PAGE = 100
_SHORTHAND = "shorthand"


class SampleSource(StrEnum):
    """Where samples came from."""

    EVENTS = "events"
    EXAMPLE = "example"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuery:
    """Which samples: as many as ``limit``, as a subscription like this would get them.

    ``filters`` and ``shorthand`` (field → texts, from a query string) must both hold.
    ``since`` asks for real events received after it, for polling.
    """

    limit: int = 3
    resource_ids: tuple[str, ...] = ()
    filters: Json = None
    shorthand: Mapping[str, Sequence[str]] = field(default_factory=dict)
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Payloads, newest first, and where they came from."""

    payloads: tuple[dict[str, Json], ...]
    source: SampleSource


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question for samples, with everything it names looked up."""

    context: Context
    account: Account
    trigger: Trigger
    query: SampleQuery
    wanted: Filter | None


def samples(context: Context, account_id: AccountId, key: str, query: SampleQuery) -> Samples:
    """Return what the trigger would send, newest first.

    Real events of the account that match come first. Where there are none, the
    catalog's example stands in, in the shape of this account's payloads, made to fit
    the choices of the query; where it cannot fit, nothing is returned.

    Raises:
        NotFoundError: There is no such trigger.
        InvalidRequestError: The filter cannot be read.
    """
    with context.store.read() as tx:
        account = account_in(tx, account_id)
        trigger = require_trigger(context, account, key)
        wanted = _read(context, account, trigger, query)
        asked = _Asked(context, account, trigger, query, wanted)
        real = list(_real(asked, tx))
    if real:
        return Samples(payloads=tuple(real), source=SampleSource.EVENTS)
    example = None if query.since else _example(asked)
    if example is None:
        return Samples(payloads=(), source=SampleSource.NONE)
    return Samples(payloads=(example,), source=SampleSource.EXAMPLE)


def _read(
    context: Context, account: Account, trigger: Trigger, query: SampleQuery
) -> Filter | None:
    shape = shape_for(context, account, trigger, query.resource_ids)
    written, problems = read_filter(query.filters, [shape])
    short, short_problems = read_filter(_written(query.shorthand), [shape], at=_SHORTHAND)
    found = (*problems, *(_of_parameter(problem) for problem in short_problems))
    if found:
        raise InvalidRequestError("This filter cannot be read.", problems=found)
    both = tuple(one for one in (written, short) if one is not None)
    return AllOf(both) if len(both) > 1 else next(iter(both), None)


def _written(shorthand: Mapping[str, Sequence[str]]) -> Json:
    return {path: list(values) for path, values in shorthand.items()}


def _of_parameter(problem: FieldProblem) -> FieldProblem:
    return replace(problem, field=problem.field.removeprefix(f"{_SHORTHAND}."))


def _real(asked: _Asked, tx: Tx) -> Iterator[dict[str, Json]]:
    trigger, resource_ids = asked.trigger, asked.query.resource_ids
    subject = asked.context.registry.catalogs[trigger.catalog].subjects[trigger.subject]
    left = asked.query.limit
    for event in _events(tx, asked):
        if left <= 0:
            return
        if resource_ids and resource_id_of(trigger, subject, event.data) not in resource_ids:
            continue
        payload = payload_of_event(asked.context, asked.account, event, trigger, resource_ids)
        if filters.mismatch(asked.wanted, payload) is None:
            left -= 1
            yield payload


def _events(tx: Tx, asked: _Asked) -> Iterator[Event]:
    query = EventQuery(types=asked.trigger.event_names, since=asked.query.since, only_open=True)
    cursor: str | None = None
    for _ in range(_MAX_SCANNED // _PAGE):
        page = tx.events(asked.account.id, query, limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _example(asked: _Asked) -> dict[str, Json] | None:
    resource_ids, trigger = asked.query.resource_ids, asked.trigger
    choices = dict(_choices(asked.wanted))
    if resource_ids and trigger.restriction is not None:
        fields = dict(flatten(shape_for(asked.context, asked.account, trigger, resource_ids)))
        path = trigger.restriction.field
        choices[path] = _as_typed(fields[path], resource_ids[0])
    example = Example(resource_ids=resource_ids, choices=choices)
    made = example_payload(asked.context, asked.account, trigger, example)
    return made if filters.mismatch(asked.wanted, made) is None else None


def _choices(wanted: Filter | None) -> Iterator[tuple[str, Json]]:
    """Yield the values that a filter's plain equalities ask for."""
    match wanted:
        case Term(path, Op.EQ, value):
            yield path, value
        case Term(path, Op.IN, values):
            yield path, values[0]
        case AllOf(parts):
            for part in parts:
                yield from _choices(part)
        case _:
            return


def _as_typed(field: Field, text: str) -> Json:
    is_number = field.type is FieldType.INTEGER and text.lstrip("-").isdigit()
    return int(text) if is_number else text
