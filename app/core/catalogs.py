"""The words a catalog is written in. Catalogs themselves are data: `app/catalog`.

A catalog describes one product: its *subjects* (what events are about, and their
fields), the *events* that happen to them, the *triggers* a subscriber can pick, the
*resources* a subscription can be restricted to, and the product's rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from app.core.fields import Choice, Field, FieldType, Text
from app.core.jsontypes import Json

# The catalog of Relais's own events, which is always there; see app/services/notices.py.
OPERATIONS: Final = "operations"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """Something that can happen to a subject, such as ``appointment.create``.

    ``value`` is what the payload's ``event`` field holds: the product's wire word.
    ``diverts``: while a subscription fires on it, the product does not act itself.
    ``samples``: by payload path, what its example holds instead of the fields' samples.
    """

    key: str
    subject: str
    value: str
    label: Text
    help: Text | None = None
    diverts: bool = False
    samples: Mapping[str, Json] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name that publishers use: ``<subject>.<key>``."""
        return f"{self.subject}.{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A record that is published as part of another one changes that other one.

    When the data of the subject has an object under ``parent``, the event becomes
    ``event_type`` (of the parent's subject) about that object, and the record itself
    moves to the parent's field ``field``.
    """

    parent: str
    event_type: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What events are about: an appointment, a contact, a call, a document.

    ``record_id`` is the payload field ``<subject>_id``: the record's own id.
    ``collapses``: of several events of one type on one record in one publisher
    transaction, only the last one fires.
    """

    key: str
    label: Text
    record_id: Field
    fields: tuple[Field, ...]
    events: Mapping[str, EventType]
    attachments: tuple[Attachment, ...] = ()
    collapses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A fact about a resource that rules can ask for, such as ``submittable``."""

    key: str
    type: FieldType
    label: Text
    default: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceKind:
    """A kind of thing that subscriptions can be restricted to: a schedule, a list.

    ``samples`` are (id, label, attributes) triples for demonstrations.
    """

    key: str
    label: Text
    plural: Text
    help: Text | None = None
    attributes: tuple[Attribute, ...] = ()
    samples: tuple[tuple[str, str, Mapping[str, Json]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something an account has or has not; triggers can require it."""

    key: str
    label: Text
    default: bool
    help: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A feature that must be on, and what to say where it is off."""

    feature: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRequirement:
    """An attribute that each chosen resource must have, and what to say if not."""

    attribute: str
    equals: Json
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """How subscriptions to a trigger can be restricted to resources.

    ``field`` is the dotted payload path that holds the resource's id; ids are
    compared as text, since products send them as numbers as well as strings.
    """

    kind: str
    field: str
    required: bool = False
    requirements: tuple[ResourceRequirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentOrigin:
    """Events of this origin fire nothing, unless the publisher says ``notify``.

    ``events`` are the event type names it applies to; empty means all of them.
    ``unless_notified``: whether ``notify: true`` lifts the silence.
    """

    origin: str
    reason: Text
    events: frozenset[str] = frozenset()
    unless_notified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What a subscriber picks: one or more event types of one subject.

    ``filters`` are the payload fields that connectors offer as filter inputs;
    a declarative filter may use every field.
    """

    key: str
    catalog: str
    label: Text
    help: Text
    noun: Text
    subject: str
    events: tuple[EventType, ...]
    filters: tuple[str, ...] = ()
    restriction: Restriction | None = None
    requires: tuple[Requirement, ...] = ()

    @property
    def event_names(self) -> frozenset[str]:
        """Return the event type names that this trigger listens to."""
        return frozenset(event.name for event in self.events)

    def hears(self, event_type: str) -> bool:
        """Return whether an event of this type name can fire the trigger."""
        return any(event.name == event_type for event in self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One product's triggers and everything they are made of."""

    key: str
    name: Text
    description: Text
    roles: tuple[Choice, ...] = ()
    enumerations: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    features: Mapping[str, Feature] = field(default_factory=dict)
    resources: Mapping[str, ResourceKind] = field(default_factory=dict)
    subjects: Mapping[str, Subject] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    silent_origins: tuple[SilentOrigin, ...] = ()

    def event_types(self) -> Iterator[EventType]:
        """Yield every event type of every subject."""
        for subject in self.subjects.values():
            yield from subject.events.values()


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Every catalog of a deployment. Trigger and event type names are unique in it.

    ``catalogs`` are the products', and `OPERATIONS`. What customers, connectors and
    publishers are shown comes from `products`. ``envelope`` are the fields that every
    payload has (``id``, ``trigger``, …).
    """

    catalogs: Mapping[str, Catalog]
    envelope: tuple[Field, ...]

    @cached_property
    def products(self) -> Mapping[str, Catalog]:
        """Return the catalogs of the vendor's products: all but our own."""
        return {key: one for key, one in self.catalogs.items() if key != OPERATIONS}

    def triggers(self) -> Iterator[Trigger]:
        """Yield every trigger of the products, catalog by catalog, in the order of the files."""
        for catalog in self.products.values():
            yield from catalog.triggers.values()

    def all_triggers(self) -> Iterator[Trigger]:
        """Yield every trigger, our own too: for those who ask whether an account uses it."""
        for catalog in self.catalogs.values():
            yield from catalog.triggers.values()

    def trigger(self, key: str) -> Trigger | None:
        """Return the trigger by its key, or None."""
        for catalog in self.catalogs.values():
            if key in catalog.triggers:
                return catalog.triggers[key]
        return None

    def event_type(self, name: str) -> EventType | None:
        """Return the event type by its name (``appointment.create``), or None."""
        found = self._event_types.get(name)
        return None if found is None else found[1]

    def catalog_of_event(self, name: str) -> Catalog | None:
        """Return the product's catalog that declares this event type name, or None.

        None for our own events: nobody publishes those.
        """
        found = self._event_types.get(name)
        return None if found is None or found[0].key == OPERATIONS else found[0]

    def triggers_hearing(self, event_type: str) -> tuple[Trigger, ...]:
        """Return the triggers that an event of this type name can fire."""
        return self._triggers_hearing.get(event_type, ())

    @cached_property
    def _event_types(self) -> Mapping[str, tuple[Catalog, EventType]]:
        return {
            event.name: (catalog, event)
            for catalog in self.catalogs.values()
            for event in catalog.event_types()
        }

    @cached_property
    def _triggers_hearing(self) -> Mapping[str, tuple[Trigger, ...]]:
        return {
            name: tuple(trigger for trigger in self.all_triggers() if trigger.hears(name))
            for name in self._event_types
        }

    def resource_kind(self, key: str) -> ResourceKind | None:
        """Return the resource kind by its key, or None."""
        for catalog in self.catalogs.values():
            if key in catalog.resources:
                return catalog.resources[key]
        return None
