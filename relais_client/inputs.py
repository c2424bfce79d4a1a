"""What a vendor hands to the client: events, and what an account's payloads hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from relais_client.wire import Json, JsonObject, time_text, without_none

FieldType = Literal[
    "string", "text", "integer", "number", "boolean", "datetime", "date", "object", "list"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it; ``role`` is one of the catalog's roles."""

    role: int | None = None
    id: str | None = None
    name: str | None = None

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return without_none(role=self.role, id=self.id, name=self.name)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened to a record of an account, to be published.

    Attributes:
        account: The account's id (``acc_…``) or the vendor's own reference for it.
        type: The event type's name, ``appointment.create``.
        data: The record. Mappings, aware datetimes, dates and UUIDs may stand in it.
        occurred_at: When it happened, aware; the moment of receipt where left out.
        origin: How the change came about, such as ``api`` or ``import``; the catalog
            says which origins are silent.
        notify: Lifts the silence of an origin, where the catalog allows it.
        idempotency_key: Names this event, so that it is accepted once however often it
            is published; the client makes one where left out.
        transaction: The vendor's name for the transaction it belongs to; keep its events
            in one batch, so that they can collapse.
    """

    account: str
    type: str
    data: JsonObject
    occurred_at: datetime | None = None
    actor: Actor | None = None
    origin: str | None = None
    notify: bool | None = None
    idempotency_key: str | None = None
    transaction: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the wire form; raises ValueError where ``occurred_at`` is naive."""
        return without_none(
            account=self.account,
            type=self.type,
            data=self.data,
            occurred_at=self.occurred_at and time_text(self.occurred_at, name="occurred_at"),
            actor=self.actor and self.actor.to_json(),
            origin=self.origin,
            notify=self.notify,
            idempotency_key=self.idempotency_key,
            transaction=self.transaction,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One question of a form. ``label`` is the account's own word."""

    key: str
    type: FieldType
    label: str
    sample: Json = None
    choices: Sequence[str] = ()
    personal: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return the wire form."""
        return without_none(
            key=self.key,
            type=self.type,
            label=self.label,
            sample=self.sample,
            choices=list(self.choices) or None,
            personal=self.personal or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField(FormField):
    """A field that the account added to a subject, perhaps for one resource only."""

    subject: str
    resource_id: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the wire form."""
        # A slotted dataclass is a second class, which a bare super() does not know.
        common = FormField.to_json(self)
        return common | without_none(subject=self.subject, resource_id=self.resource_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of the account, whose answers appear in the subject's payload.

    ``resource_id`` is the resource that it belongs to; None means every one.
    """

    id: str
    name: str
    subject: str
    fields: Sequence[FormField]
    resource_id: str | None = None

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return without_none(
            id=self.id,
            name=self.name,
            subject=self.subject,
            fields=[question.to_json() for question in self.fields],
            resource_id=self.resource_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What an account's payloads hold beyond the catalog's standing fields.

    ``optional_fields`` names, by subject, the optional fields that the account uses:
    ``{"appointment": ["mobile"]}``.
    """

    optional_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    custom_fields: Sequence[CustomField] = ()
    forms: Sequence[Form] = ()

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        optional = {subject: list(keys) for subject, keys in self.optional_fields.items()}
        return {
            "optional_fields": optional,
            "custom_fields": [custom.to_json() for custom in self.custom_fields],
            "forms": [form.to_json() for form in self.forms],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that subscriptions can be restricted to: a schedule, a list, a number.

    ``id`` is the vendor's own id as text; ``label`` is what drop-downs show.
    """

    id: str
    label: str
    attributes: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return without_none(id=self.id, label=self.label, attributes=dict(self.attributes) or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """Several events in one request, a JSON array.

    Attributes:
        max_events: 2 to 100: send as soon as there are so many.
        max_age_seconds: 1 to 3,600: keep no event longer for others to join it.
    """

    max_events: int
    max_age_seconds: int

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {"max_events": self.max_events, "max_age_seconds": self.max_age_seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A standing request for events.

    Attributes:
        triggers: What to hear, ``changed_appointment``; one or several.
        target_url: Where to send it.
        resource_ids: Only about these; all where empty.
        filters: Which events, ``{"event": ["destroy"]}``; every one where None.
        platform: Who subscribes; found out from the URL where left out.
        signature: ``hmac-sha256`` or ``ed25519``; the first where left out.
        compatible_signatures: Signature headers of other schemes, ``x-hub-signature-256``.
        handshake: The target has to confirm it first, by repeating an X-Hook-Secret.
        retry_policy: ``standard``, ``brief``, ``patient`` or ``once``.
        per_second: Requests a second at most.
        batching: Several events in one request; each by itself where left out.
    """

    triggers: Sequence[str]
    target_url: str
    name: str | None = None
    resource_ids: Sequence[str] = ()
    filters: JsonObject | None = None
    platform: str | None = None
    signature: str | None = None
    compatible_signatures: Sequence[str] = ()
    handshake: bool = False
    retry_policy: str | None = None
    per_second: int | None = None
    batching: Batching | None = None

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return without_none(
            triggers=list(self.triggers),
            target_url=self.target_url,
            name=self.name,
            resource_ids=list(self.resource_ids) or None,
            filters=self.filters,
            platform=self.platform,
            signature=self.signature,
            compatible_signatures=list(self.compatible_signatures) or None,
            handshake=self.handshake or None,
            retry_policy=self.retry_policy,
            per_second=self.per_second,
            batching=self.batching and self.batching.to_json(),
        )
