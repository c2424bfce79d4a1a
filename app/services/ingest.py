"""Ingest: accept events, decide what they fire, and store both in one transaction.

An event is accepted when its transaction has committed; only then is it answered. The
same idempotency key gets the same answer, for as long as the event is kept.

Events that are published one by one while a transaction runs are stored together in the
next one (`app.services.groups`). Each is still judged for itself: what is wrong with one
is the affair of its own publisher alone.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.core.errors import (
    ConflictError,
    FieldProblem,
    IdempotencyConflictError,
    RelaisError,
    UnavailableError,
)
from app.services.context import Context
from app.services.fan_out import FanOut, collapsed, fan_out, store_fan_outs
from app.services.idempotency import known_answer, record_of
from app.services.lookups import Lookups
from app.services.preparing import Prepared, prepare, refused
from app.services.publications import Checked, NewEvent, Published

log = logging.getLogger(__name__)


def publish(context: Context, given: NewEvent) -> Published:
    """Accept one event.

    Raises:
        InvalidRequestError: Unknown account or type, or data that does not fit.
        IdempotencyConflictError: The key was used for another event.
        UnavailableError: The store cannot be written; nothing was accepted.
    """
    began = time.perf_counter()
    answer = context.publishing.run(given, partial(_publish_group, context))
    _count(context, [answer], began, in_batch=False)
    return answer


def publish_batch(context: Context, given: Sequence[NewEvent]) -> tuple[Published, ...]:
    """Accept all of the events, or none; refusals name ``events.<index>.…``."""
    began = time.perf_counter()
    at = [f"events.{index}." for index in range(len(given))]
    answers = _publish(context, given, at=at)
    _count(context, answers, began, in_batch=True)
    return answers


def check(context: Context, given: NewEvent) -> Checked:
    """Return what publishing this event now would do; nothing is stored or sent."""
    with context.store.read() as tx:
        lookups = Lookups(tx, context.memo)
        prepared = prepare(context, lookups, replace(given, idempotency_key=None), "")
        if not isinstance(prepared, Prepared):
            raise refused(prepared)
        found = fan_out(context, lookups, prepared.account, prepared.event)
    return Checked(
        deliveries=len(found.deliveries),
        diverted=_diverts(context, found),
        disposition=found.event.disposition,
    )


def _count(context: Context, answers: Sequence[Published], began: float, *, in_batch: bool) -> None:
    events = sum(not one.is_replay for one in answers)
    context.meter.ingested(events, time.perf_counter() - began, in_batch=in_batch)


# Events of several publishers, in one transaction.


def _publish_group(context: Context, given: Sequence[NewEvent]) -> list[Published | Exception]:
    """Accept each of the events that can be; return each one's answer or refusal."""
    if len(given) > 1:
        try:
            return _publish_each(context, given)
        except UnavailableError as error:
            return [UnavailableError(error.message) for _ in given]
        except Exception:  # whoever is to blame, the others are not
            log.warning("publish.group_split", exc_info=True, extra={"events": len(given)})
    return [_outcome(context, one) for one in given]


def _publish_each(context: Context, given: Sequence[NewEvent]) -> list[Published | Exception]:
    # The second event of a key comes after the first has committed.
    keys = [(one.account, one.idempotency_key) for one in given]
    is_later = [key[1] is not None and key in keys[:n] for n, key in enumerate(keys)]
    with context.store.read() as tx:
        lookups = Lookups(tx, context.memo)
        judged = [
            None if later else _judge(context, lookups, one)
            for one, later in zip(given, is_later, strict=True)
        ]
        fresh = [one for one in judged if isinstance(one, Prepared)]
        found = _fan_outs(context, lookups, fresh)
    stored = iter(_store(context, fresh, found))
    answers = [next(stored) if isinstance(one, Prepared) else one for one in judged]
    _ring(context, [one for one in answers if isinstance(one, Published)])
    return [
        _outcome(context, one) if answer is None else answer
        for one, answer in zip(given, answers, strict=True)
    ]


def _judge(
    context: Context, lookups: Lookups, given: NewEvent
) -> Prepared | Published | RelaisError:
    try:
        known = _known(lookups, given, "")
    except IdempotencyConflictError as conflict:
        return conflict
    if known is not None:
        return known
    prepared = prepare(context, lookups, given, "")
    return prepared if isinstance(prepared, Prepared) else refused(prepared)


def _outcome(context: Context, given: NewEvent) -> Published | Exception:
    try:
        return _publish(context, [given], at=("",))[0]
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
        return error


# Events of one publisher, all or none.


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
    _ring(context, answers)
    return answers


def _publish_once(
    context: Context, given: Sequence[NewEvent], at: Sequence[str]
) -> tuple[Published, ...]:
    with context.store.read() as tx:
        lookups = Lookups(tx, context.memo)
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
        found = collapsed(context, _fan_outs(context, lookups, fresh))
    stored = iter(_store(context, fresh, found))
    return tuple(next(stored) if answer is None else answer for answer in known)


def _prepare_all(
    context: Context, lookups: Lookups, given: Sequence[tuple[NewEvent, str]]
) -> list[Prepared]:
    """Return the events ready to be fanned out; raises with the problems of all."""
    results = [prepare(context, lookups, one, prefix) for one, prefix in given]
    prepared = [one for one in results if isinstance(one, Prepared)]
    problems = [problem for one in results if isinstance(one, list) for problem in one]
    problems += _repeated_keys(prepared)
    if problems:
        raise refused(problems)
    return prepared


def _repeated_keys(prepared: Sequence[Prepared]) -> list[FieldProblem]:
    keyed = [one for one in prepared if one.given.idempotency_key is not None]
    counts = Counter((one.account.id, one.given.idempotency_key) for one in keyed)
    message = "Two events of this batch have the same idempotency key."
    return [
        FieldProblem(field=f"{one.at}idempotency_key", code="repeated", message=message)
        for one in keyed
        if counts[one.account.id, one.given.idempotency_key] > 1
    ]


# Both.


def _known(lookups: Lookups, given: NewEvent, prefix: str) -> Published | None:
    """Return what this event was answered before; the catalogs may have changed since."""
    if given.idempotency_key is None:
        return None
    account = lookups.account(given.account)
    return None if account is None else known_answer(lookups.tx, account.id, given, prefix)


def _fan_outs(context: Context, lookups: Lookups, fresh: Sequence[Prepared]) -> list[FanOut]:
    return [fan_out(context, lookups, one.account, one.event) for one in fresh]


def _store(context: Context, fresh: Sequence[Prepared], found: Sequence[FanOut]) -> list[Published]:
    """Accept events: they and their deliveries are kept when this returns."""
    answers = [_answer(context, one, out) for one, out in zip(fresh, found, strict=True)]
    records = [
        record_of(one.given, one.event, answer)
        for one, answer in zip(fresh, answers, strict=True)
        if one.given.idempotency_key is not None
    ]
    if found:
        with context.store.write() as tx:
            store_fan_outs(tx, found)
            tx.add_idempotency_records(records)
    return answers


def _answer(context: Context, prepared: Prepared, found: FanOut) -> Published:
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


def _ring(context: Context, answers: Sequence[Published]) -> None:
    if any(answer.deliveries and not answer.is_replay for answer in answers):
        context.doorbell.ring()
