"""What publishing means before any subscription is asked: rules of the catalog."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.accounts import Account
from app.core.catalogs import Catalog, Registry, SilentOrigin, Subject, Trigger
from app.core.events import Disposition, Event
from app.core.jsontypes import Json, JsonObject
from app.core.payloads import value_at
from app.core.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a published event is really about, after attachments.

    ``parent`` is where that record stood in the published data, if not at its top.
    """

    type: str
    data: JsonObject
    parent: str | None = None


def resolve_attachment(registry: Registry, type_name: str, data: JsonObject) -> Resolved:
    """Return the event that a record published as part of another one stands for.

    A form filled in with an appointment changes the appointment: it fires the
    appointment's triggers, never the form's, and travels in the appointment's ``form``.
    """
    catalog = registry.catalog_of_event(type_name)
    if catalog is None:
        return Resolved(type=type_name, data=data)
    subject = catalog.subjects[type_name.partition(".")[0]]
    for attachment in subject.attachments:
        parent = data.get(attachment.parent)
        if isinstance(parent, Mapping):
            record = {key: value for key, value in data.items() if key != attachment.parent}
            moved = {**parent, attachment.field: record}
            return Resolved(type=attachment.event_type, data=moved, parent=attachment.parent)
    return Resolved(type=type_name, data=data)


def disposition(account: Account, catalog: Catalog, event: Event) -> Disposition:
    """Return what becomes of an event before subscriptions are asked."""
    if not account.enabled:
        return Disposition.ACCOUNT_OFF
    is_silent = silencing_rule(catalog, event) is not None
    return Disposition.SILENT if is_silent else Disposition.OPEN


def silencing_rule(catalog: Catalog, event: Event) -> SilentOrigin | None:
    """Return the catalog's rule that keeps the event from firing anything, or None."""
    for rule in catalog.silent_origins:
        applies = not rule.events or event.published_type in rule.events
        lifted = rule.unless_notified and event.notify
        if rule.origin == event.origin and applies and not lifted:
            return rule
    return None


def collapse_key(registry: Registry, event: Event) -> tuple[str | None, ...] | None:
    """Return what events share that collapse, or None for one that never does.

    Of the events of one type on one record in one publisher transaction, a subscription
    is sent the last one that fires it (so does Frappe, webhook by webhook). Only subjects
    whose catalog says so collapse.
    """
    catalog = registry.catalogs[event.catalog]
    subject = catalog.subjects[event.type.partition(".")[0]]
    if not subject.collapses or event.transaction is None or event.record_id is None:
        return None
    if event.disposition is not Disposition.OPEN:
        return None
    hearing = next((one for one in catalog.triggers.values() if one.hears(event.type)), None)
    scope = None if hearing is None else resource_id_of(hearing, subject, event.data)
    return (event.account_id, event.type, event.transaction, event.record_id, scope)


def record_id_of(subject: Subject, data: JsonObject) -> str | None:
    """Return the record's own id as text, or None where the data has none."""
    value = value_at(data, subject.record_id.path_in_data)
    return None if value is None else str(value)


def resource_id_of(trigger: Trigger, subject: Subject, data: JsonObject) -> str | None:
    """Return the resource that a record belongs to, as text, or None.

    Ids are compared as text: products send them as numbers as well as strings.
    """
    if trigger.restriction is None:
        return None
    return _at_payload_path(subject.fields, trigger.restriction.field, data)


def _at_payload_path(fields: Shape, path: str, data: Json) -> str | None:
    key, _, rest = path.partition(".")
    field = next((one for one in fields if one.key == key), None)
    if field is None:
        return None
    value = value_at(data, field.path_in_data)
    if rest:
        return _at_payload_path(field.fields, rest, value)
    return None if value is None else str(value)
