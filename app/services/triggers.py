"""What an account can pick: its triggers, their availability, fields and schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.core.accounts import Account
from app.core.availability import unavailable_reason
from app.core.catalogs import EventType, Trigger
from app.core.errors import NotFoundError
from app.core.events import Event
from app.core.fields import Text
from app.core.ids import AccountId
from app.core.jsontypes import Json, JsonObject
from app.core.payloads import Envelope, PayloadMaker, envelope_of, payload, payload_maker
from app.core.ports import Tx
from app.core.samples import sample_data, sample_role, with_samples
from app.core.schemas import payload_schema
from app.core.shapes import Shape, data_shape, narrowing, shape_of_trigger
from app.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTrigger:
    """A trigger as one account sees it; ``unavailable`` says why it cannot be used."""

    trigger: Trigger
    unavailable: Text | None


def list_triggers(context: Context, account_id: AccountId) -> tuple[AccountTrigger, ...]:
    """Return every trigger of the account's catalogs, the unavailable ones too."""
    account = own_account(context, account_id)
    return tuple(
        _for_account(context, account, trigger)
        for trigger in context.registry.all_triggers()
        if account.uses_catalog(trigger.catalog)
    )


def find_trigger(context: Context, account_id: AccountId, key: str) -> AccountTrigger:
    """Return one trigger; raises NotFoundError."""
    account = own_account(context, account_id)
    return _for_account(context, account, require_trigger(context, account, key))


def trigger_shape(
    context: Context, account_id: AccountId, key: str, resource_ids: Sequence[str] = ()
) -> Shape:
    """Return the fields of the trigger's payloads for this account.

    Their samples are those of its first event.
    """
    account = own_account(context, account_id)
    trigger = require_trigger(context, account, key)
    event = trigger.events[0]
    samples = {"trigger": trigger.key, "event": event.value, **event.samples}
    return with_samples(shape_for(context, account, trigger, resource_ids), samples)


def trigger_schema(
    context: Context, account_id: AccountId, key: str, resource_ids: Sequence[str] = ()
) -> JsonObject:
    """Return the JSON Schema (2020-12) of the trigger's payloads for this account."""
    account = own_account(context, account_id)
    trigger = require_trigger(context, account, key)
    shape = shape_for(context, account, trigger, resource_ids)
    return payload_schema(shape, title=trigger.label.in_language(account.language))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishableExample:
    """What a publisher would send for the trigger's example to be delivered."""

    type: str
    data: JsonObject
    role: int | None


def publishable_example(context: Context, account_id: AccountId, key: str) -> PublishableExample:
    """Return the trigger's first event, made of the catalog's samples."""
    account = own_account(context, account_id)
    trigger = require_trigger(context, account, key)
    catalog = context.registry.catalogs[trigger.catalog]
    shape = data_shape(catalog, catalog.subjects[trigger.subject], account.overlay)
    event = trigger.events[0]
    return PublishableExample(
        type=event.name,
        data=sample_data(with_samples(shape, event.samples)),
        role=_sample_role(context, trigger, event),
    )


def shape_for(
    context: Context, account: Account, trigger: Trigger, resource_ids: Sequence[str] = ()
) -> Shape:
    """Return the fields of the trigger's payloads for an account."""
    narrowed = narrowing(account.overlay, resource_ids)
    return context.memo.get(
        ("shape", account.id, account.updated_at, trigger.key, *narrowed),
        lambda: shape_of_trigger(context.registry, trigger, account.overlay, narrowed),
    )


def payload_of_event(
    context: Context,
    account: Account,
    event: Event,
    trigger: Trigger,
    resource_ids: Sequence[str] = (),
) -> dict[str, Json]:
    """Return what a delivery of the event says when it fires ``trigger``."""
    event_type = context.registry.event_type(event.type)
    if event_type is None:
        raise LookupError(f"event type {event.type} has left the catalogs")
    make = _maker_for(context, account, trigger, resource_ids)
    return make(envelope_of(event, event_type, trigger, account.reference), event.data)


def _maker_for(
    context: Context, account: Account, trigger: Trigger, resource_ids: Sequence[str]
) -> PayloadMaker:
    narrowed = narrowing(account.overlay, resource_ids)
    return context.memo.get(
        ("payload", account.id, account.updated_at, trigger.key, *narrowed),
        lambda: payload_maker(shape_for(context, account, trigger, narrowed), account.language),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Which example: as for these resources, with these values at payload paths."""

    resource_ids: tuple[str, ...] = ()
    choices: Mapping[str, Json] = field(default_factory=dict)


def example_payload(
    context: Context, account: Account, trigger: Trigger, wanted: Example
) -> dict[str, Json]:
    """Return the catalog's example in the shape of this account's payloads.

    It is an example of the wanted event, else of the trigger's first one. The wanted
    values win over the samples of that event.
    """
    shape = shape_for(context, account, trigger, wanted.resource_ids)
    event = _example_event(trigger, wanted.choices)
    envelope = _example_envelope(context, account, trigger, event)
    if "role" in wanted.choices:
        envelope = envelope._replace(role=wanted.choices["role"])
    data = sample_data(with_samples(shape, {**event.samples, **wanted.choices}))
    return payload(envelope, data, shape=shape, language=account.language)


def own_account(context: Context, account_id: AccountId) -> Account:
    """Return the account a key belongs to; raises NotFoundError where it is gone."""
    with context.store.read() as tx:
        return account_in(tx, account_id)


def account_in(tx: Tx, account_id: AccountId) -> Account:
    """Return the account in a running transaction; raises NotFoundError."""
    account = tx.account(account_id)
    if account is None:
        raise NotFoundError("This account does not exist any more.")
    return account


def require_trigger(context: Context, account: Account, key: str) -> Trigger:
    """Return the trigger; raises NotFoundError, naming those that exist."""
    trigger = context.registry.trigger(key)
    if trigger is None or not account.uses_catalog(trigger.catalog):
        known = ", ".join(known_triggers(context, account))
        raise NotFoundError(f"There is no trigger like this. There are: {known}.")
    return trigger


def known_triggers(context: Context, account: Account) -> tuple[str, ...]:
    """Return the keys of the account's triggers."""
    return tuple(
        trigger.key
        for trigger in context.registry.all_triggers()
        if account.uses_catalog(trigger.catalog)
    )


def _for_account(context: Context, account: Account, trigger: Trigger) -> AccountTrigger:
    catalog = context.registry.catalogs[trigger.catalog]
    reason = unavailable_reason(account, catalog, trigger)
    return AccountTrigger(trigger=trigger, unavailable=reason)


def _example_event(trigger: Trigger, choices: Mapping[str, Json]) -> EventType:
    named = (event for event in trigger.events if event.value == choices.get("event"))
    return next(named, trigger.events[0])


def _example_envelope(
    context: Context, account: Account, trigger: Trigger, event: EventType
) -> Envelope:
    samples = {one.key: one.sample for one in context.registry.envelope}
    return Envelope(
        id=samples["id"],
        trigger=trigger.key,
        event=event.value,
        role=_sample_role(context, trigger, event),
        occurred_at=samples["occurred_at"],
        account=account.reference,
    )


def _sample_role(context: Context, trigger: Trigger, event: EventType) -> int | None:
    has_roles = bool(context.registry.catalogs[trigger.catalog].roles)
    return sample_role(event, context.registry.envelope) if has_roles else None
