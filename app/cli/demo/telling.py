"""One event in a line: what happened, to whom, in the language of its account."""

from collections.abc import Iterator, Sequence

from app.core.catalogs import Registry
from app.core.fields import Field, FieldType, Text
from app.core.jsontypes import Json
from app.core.payloads import value_at
from app.core.publishing import resolve_attachment
from relais_client import NewEvent

# Where the data of the products says whom or what an event is about; the first one counts.
_TELLING = (
    "full_name",
    "subject",
    "contact.email",
    "call.status",
    "appointment.full_name",
    "form_name",
    "action",
    "import.campaign.name",
    "report.status",
    "name",
)
_ABOUT = Text(en="{label}: {about}", fr="{label}\u00a0: {about}", ja="{label}：{about}")


def told(registry: Registry, event: NewEvent, language: str) -> str:
    """Return what happened, and what tells this event from others of its type."""
    label = _event_label(registry, event.type, language)
    about = _about(registry, event, language)
    if about is None:
        return label
    return _ABOUT.in_language(language).format(label=label, about=about)


def became(registry: Registry, event: NewEvent, language: str) -> str | None:
    """Return what an event about an attached record counts as; None for any other."""
    real = real_type(registry, event)
    if real == event.type:
        return None
    return f"{real} ({_event_label(registry, real, language)})"


def real_type(registry: Registry, event: NewEvent) -> str:
    """Return the event's type once it is known whether its record is attached to another."""
    return resolve_attachment(registry, event.type, event.data).type


def _event_label(registry: Registry, event_type: str, language: str) -> str:
    found = registry.event_type(event_type)
    return event_type if found is None else found.label.in_language(language)


def _about(registry: Registry, event: NewEvent, language: str) -> str | None:
    catalog = registry.catalog_of_event(event.type)
    subject = event.type.partition(".")[0]
    declared = dict(_by_data_path(() if catalog is None else catalog.subjects[subject].fields))
    for path in _TELLING:
        value = value_at(event.data, path)
        if isinstance(value, str):
            return _in_words(value, declared.get(path), language)
    return None


def _by_data_path(fields: Sequence[Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field with the place of its value in published data."""
    for field in fields:
        path = f"{prefix}{field.path_in_data}"
        yield path, field
        if field.type is FieldType.OBJECT:
            yield from _by_data_path(field.fields, f"{path}.")


def _in_words(value: Json, field: Field | None, language: str) -> str:
    for choice in () if field is None else field.choices:
        if choice.value == value:
            return choice.label.in_language(language)
    return str(value)
