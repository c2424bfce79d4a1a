"""Ingest: accept events, decide what they fire, and store both in one transaction.

An event is accepted when its transaction has committed; only then is it answered. The
same idempotency key gets the same answer, for as long as the event is kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core import ids
from app.core.accounts import Account
from app.core.catalogs import Catalog
from app.core.errors import (
    ConflictError,
    FieldProblem,
    IdempotencyConflictError,
    InvalidRequestError,
)
from app.core.events import Actor, Event
from app.core.ids import EventId
from app.core.publishing import (
    ONLY_WARNINGS,
    Resolved,
    check_data,
    disposition,
    record_id_of,
    resolve_attachment,
)
from app.core.shapes import Shape, data_shape
from app.services.context import Context, PayloadChecks
from app.services.fan_out import FanOut, collapsed, fan_out, store_fan_outs
from app.services.idempotency import known_answer, record_of
from app.services.lookups import Lookups
from app.services.publications import Checked, NewEvent, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """An event that can be stored; ``at`` is its path in the request."""

    at: str
    given: NewEvent
    account: Account
    event: Event
    warnings: tuple[FieldProblem, ...]


def publish(context: Context, given: NewEvent) -> Published:
    """Accept one event.

    Raises:
        InvalidRequestError: Unknown account or type, or data that does not fit.
        IdempotencyConflictError: The key was used for another event.
        UnavailableError: The store cannot be written; nothing was accepted.
    """
    return _publish(context, [given], at=("",))[0]


def publish_batch(context: Context, given: Sequence[NewEvent]) -> tuple[Published, ...]:
    """Accept all of the events, or none; refusals name ``events.<index>.…``."""
    return _publish(context, given, at=[f"events.{index}." for index in range(len(given))])


def check(context: Context, given: NewEvent) -> Checked:
    """Return what publishing this event now would do; nothing is stored or sent."""
    with context.store.read() as tx:
        lookups = Lookups(tx)
        prepared = _prepare(context, lookups, replace(given, idempotency_key=None), "")
        if not isinstance(prepared, _Prepared):
            raise _refused(prepared)
        found = fan_out(context, lookups, prepared.account, prepared.event)
    return Checked(
        deliveries=len(found.deliveries),
        diverted=_diverts(context, found),
        disposition=found.event.disposition,
    )


def _publish(
    context: Context, given: Sequence[NewEvent], *, at: Sequence[str]
) -> tuple[Published, ...]:
    try:
        answers = _publish_once(context, given, at)
    except IdempotencyConflictError:
        raise
    except ConflictError:
        # Another process used one of the keys between our look-up and our commit: the
        # second look-up finds its answer.
        answers = _publish_once(context, given, at)
    if any(answer.deliveries and not answer.is_replay for answer in answers):
        context.doorbell.ring()
    return answers


def _publish_once(
    context: Context, given: Sequence[NewEvent], at: Sequence[str]
) -> tuple[Published, ...]:
    with context.store.write() as tx:
        lookups = Lookups(tx)
        known = [_known(lookups, one, prefix) for one, prefix in zip(given, at, strict=True)]
        fresh = _prepare_all(
            context,
            lookups,
            [
                (one, prefix)
                for one, prefix, answer in zip(given, at, known, strict=True)
                if answer is None
            ],
        )
        stored = iter(_store(context, lookups, fresh))
    return tuple(next(stored) if answer is None else answer for answer in known)


def _known(lookups: Lookups, given: NewEvent, prefix: str) -> Published | None:
    """Return what this event was answered before; the catalogs may have changed since."""
    account = lookups.account(given.account)
    return None if account is None else known_answer(lookups.tx, account.id, given, prefix)


def _store(context: Context, lookups: Lookups, fresh: Sequence[_Prepared]) -> list[Published]:
    found = [fan_out(context, lookups, one.account, one.event) for one in fresh]
    found = collapsed(context, found)
    store_fan_outs(lookups.tx, found)
    answers = [_answer(context, one, out) for one, out in zip(fresh, found, strict=True)]
    lookups.tx.add_idempotency_records(
        [
            record_of(one.given, one.event, answer)
            for one, answer in zip(fresh, answers, strict=True)
            if one.given.idempotency_key is not None
        ]
    )
    return answers


def _prepare_all(
    context: Context, lookups: Lookups, given: Sequence[tuple[NewEvent, str]]
) -> list[_Prepared]:
    """Return the events ready to be fanned out; raises with the problems of all."""
    results = [_prepare(context, lookups, one, prefix) for one, prefix in given]
    prepared = [one for one in results if isinstance(one, _Prepared)]
    problems = [problem for one in results if isinstance(one, list) for problem in one]
    problems += _repeated_keys(prepared)
    if problems:
        raise _refused(problems)
    return prepared


def _refused(problems: Sequence[FieldProblem]) -> InvalidRequestError:
    return InvalidRequestError("Nothing was accepted.", problems=tuple(problems))


def _repeated_keys(prepared: Sequence[_Prepared]) -> list[FieldProblem]:
    keys = [(one.account.id, one.given.idempotency_key) for one in prepared]
    counts = Counter(key for key in keys if key[1] is not None)
    message = "Two events of this batch have the same idempotency key."
    return [
        FieldProblem(field=f"{one.at}idempotency_key", code="repeated", message=message)
        for one, key in zip(prepared, keys, strict=True)
        if counts[key] > 1
    ]


def _prepare(
    context: Context, lookups: Lookups, given: NewEvent, prefix: str
) -> _Prepared | list[FieldProblem]:
    account = lookups.account(given.account)
    catalog = context.registry.catalog_of_event(given.type)
    if account is None:
        message = f"There is no account {given.account[:60]!r}."
        return [FieldProblem(field=f"{prefix}account", code="unknown_account", message=message)]
    if catalog is None or not account.uses_catalog(catalog.key):
        return [_unknown_type(context, account, given.type, prefix)]
    role_problems = _role_problems(catalog, given.actor, prefix)
    resolved = resolve_attachment(context.registry, given.type, given.data)
    event = _event(context, account, catalog, given, resolved)
    at = prefix + ("data" if resolved.parent is None else f"data.{resolved.parent}")
    refused, warnings = _judged(context, account, event, at)
    if role_problems or refused:
        return [*role_problems, *refused]
    return _Prepared(at=prefix, given=given, account=account, event=event, warnings=warnings)


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
    found = check_data(_data_shape_of(context, event, account), event.data, at=at)
    rejects = checks is PayloadChecks.REJECT
    refused = [one for one in found if rejects and one.code not in ONLY_WARNINGS]
    return refused, tuple(one for one in found if one not in refused)


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
    return replace(event, disposition=disposition(account, catalog, event))


def _data_shape_of(context: Context, event: Event, account: Account) -> Shape:
    catalog = context.registry.catalogs[event.catalog]
    subject = catalog.subjects[event.type.partition(".")[0]]
    key = ("data", account.id, account.updated_at, subject.key)
    return context.shapes.get(key, lambda: data_shape(catalog, subject, account.overlay))


def _unknown_type(context: Context, account: Account, name: str, prefix: str) -> FieldProblem:
    known = [
        event.name
        for catalog in context.registry.catalogs.values()
        if account.uses_catalog(catalog.key)
        for event in catalog.event_types()
    ]
    message = f"There is no event type {name[:60]!r}. There are: {', '.join(known)}."
    return FieldProblem(field=f"{prefix}type", code="unknown_type", message=message)


def _role_problems(catalog: Catalog, actor: Actor, prefix: str) -> list[FieldProblem]:
    known = [choice.value for choice in catalog.roles]
    if actor.role is None or actor.role in known or not known:
        return []
    message = f"{actor.role} is not a role. The roles are: {', '.join(map(str, known))}."
    return [FieldProblem(field=f"{prefix}actor.role", code="unknown_choice", message=message)]


def _answer(context: Context, prepared: _Prepared, found: FanOut) -> Published:
    return Published(
        id=found.event.id,
        deliveries=len(found.deliveries),
        diverted=_diverts(context, found),
        disposition=found.event.disposition,
        warnings=prepared.warnings,
    )


def _diverts(context: Context, found: FanOut) -> bool:
    event_type = context.registry.event_type(found.event.type)
    return event_type is not None and event_type.diverts and bool(found.deliveries)
