"""From what a publisher sends to an event that can be stored, or to what is wrong with it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from app.core import ids
from app.core.accounts import Account
from app.core.catalogs import Catalog
from app.core.data_checks import ONLY_WARNINGS, DataCheck, data_check
from app.core.errors import FieldProblem, InvalidRequestError
from app.core.events import Actor, Event
from app.core.ids import EventId
from app.core.publishing import Resolved, disposition, record_id_of, resolve_attachment
from app.core.shapes import data_shape
from app.services.context import Context, PayloadChecks
from app.services.lookups import Lookups
from app.services.publications import NewEvent


class Prepared(NamedTuple):
    """An event that can be stored; ``at`` is its path in the request."""

    at: str
    given: NewEvent
    account: Account
    event: Event
    warnings: tuple[FieldProblem, ...]


def prepare(
    context: Context, lookups: Lookups, given: NewEvent, at: str
) -> Prepared | list[FieldProblem]:
    """Return the event ready to be fanned out, or everything that is wrong with it."""
    account = lookups.account(given.account)
    catalog = context.registry.catalog_of_event(given.type)
    if account is None:
        message = f"There is no account {given.account[:60]!r}."
        return [FieldProblem(field=f"{at}account", code="unknown_account", message=message)]
    if catalog is None or not account.uses_catalog(catalog.key):
        return [_unknown_type(context, account, given.type, at)]
    role_problems = _role_problems(catalog, given.actor, at)
    resolved = resolve_attachment(context.registry, given.type, given.data)
    event = _event(context, account, catalog, given, resolved)
    data_at = f"{at}data" if resolved.parent is None else f"{at}data.{resolved.parent}"
    refused, warnings = _judged(context, account, event, data_at)
    if role_problems or refused:
        return [*role_problems, *refused]
    return Prepared(at=at, given=given, account=account, event=event, warnings=warnings)


def refused(problems: Sequence[FieldProblem]) -> InvalidRequestError:
    """Return the refusal of a request with these problems."""
    return InvalidRequestError("Nothing was accepted.", problems=tuple(problems))


def _judged(
    context: Context, account: Account, event: Event, at: str
) -> tuple[list[FieldProblem], tuple[FieldProblem, ...]]:
    """Return what refuses the event, and what its publisher is only told.

    A value or a field that the catalog does not know never refuses an event: a product
    learns new ones before its catalog does.
    """
    checks = context.rules.payload_checks
    if checks is PayloadChecks.OFF:
        return [], ()
    found = _data_check_of(context, account, event)(event.data, at)
    if checks is PayloadChecks.WARN or not found:
        return [], found
    refusing = [one for one in found if one.code not in ONLY_WARNINGS]
    return refusing, tuple(one for one in found if one.code in ONLY_WARNINGS)


def _event(
    context: Context, account: Account, catalog: Catalog, given: NewEvent, resolved: Resolved
) -> Event:
    now = context.clock.now()
    subject = catalog.subjects[resolved.type.partition(".")[0]]
    event = Event(
        id=EventId(context.dice.new_id(ids.EVENT)),
        account_id=account.id,
        catalog=catalog.key,
        type=resolved.type,
        published_type=given.type,
        data=resolved.data,
        occurred_at=given.occurred_at or now,
        received_at=now,
        actor=given.actor,
        origin=given.origin,
        notify=given.notify,
        record_id=record_id_of(subject, resolved.data),
        transaction=given.transaction,
    )
    found = disposition(account, catalog, event)
    return event if found is event.disposition else replace(event, disposition=found)


def _data_check_of(context: Context, account: Account, event: Event) -> DataCheck:
    catalog = context.registry.catalogs[event.catalog]
    subject = catalog.subjects[event.type.partition(".")[0]]
    return context.memo.get(
        ("data check", account.id, account.updated_at, subject.key),
        lambda: data_check(data_shape(catalog, subject, account.overlay)),
    )


def _unknown_type(context: Context, account: Account, name: str, at: str) -> FieldProblem:
    known = [
        event.name
        for catalog in context.registry.products.values()
        if account.uses_catalog(catalog.key)
        for event in catalog.event_types()
    ]
    message = f"There is no event type {name[:60]!r}. There are: {', '.join(known)}."
    return FieldProblem(field=f"{at}type", code="unknown_type", message=message)


def _role_problems(catalog: Catalog, actor: Actor, at: str) -> list[FieldProblem]:
    if actor.role is None:
        return []
    known = [choice.value for choice in catalog.roles]
    if actor.role in known or not known:
        return []
    message = f"{actor.role} is not a role. The roles are: {', '.join(map(str, known))}."
    return [FieldProblem(field=f"{at}actor.role", code="unknown_choice", message=message)]
