"""Which fields a payload has, for one account: the catalog plus the account's overlay.

Delivery, samples, field lists, JSON Schemas, filters and connectors all ask `shape`,
so they cannot disagree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.core.accounts import CustomField, Form, Overlay
from app.core.catalogs import Catalog, Registry, Subject, Trigger
from app.core.fields import Choice, Field, FieldType, KeysFrom, Text
from app.core.jsontypes import Json

Shape = tuple[Field, ...]


def shape_of_trigger(
    registry: Registry, trigger: Trigger, overlay: Overlay, resource_ids: Sequence[str] = ()
) -> Shape:
    """Return the fields of a trigger's payloads, in order.

    ``resource_ids`` are those a subscription is restricted to: fields and forms that
    belong to other resources are left out then. Without any, the union is returned,
    so that a subscription's payloads always have the same keys.
    """
    catalog = registry.catalogs[trigger.catalog]
    subject = catalog.subjects[trigger.subject]
    envelope = _envelope(registry, catalog, trigger)
    forms = _forms_of(catalog, subject, overlay)
    standing = _present(subject.fields, subject.key, subject.key, forms, tuple(resource_ids))
    return (*envelope, subject.record_id, *standing)


def data_shape(catalog: Catalog, subject: Subject, overlay: Overlay) -> Shape:
    """Return the fields that published data of a subject may hold for an account.

    Optional fields are in it whether enabled or not: publishers may always send them.
    """
    forms = _forms_of(catalog, subject, overlay)
    everything = replace(forms, optional_fields=_all_optional(subject))
    standing = _present(subject.fields, subject.key, subject.key, everything, ())
    return (subject.record_id, *standing)


def narrowing(overlay: Overlay, resource_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the resource ids that make a difference to the shape: often none."""
    if not resource_ids:
        return ()
    bound = {one.resource_id for one in overlay.custom_fields}
    bound |= {form.resource_id for form in overlay.forms}
    bound |= {field.resource_id for form in overlay.forms for field in form.fields}
    return tuple(resource_ids) if bound - {None} else ()


def flatten(fields: Shape, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield (dotted path, field) for every field, objects before what is in them.

    Fields of the objects in a list are yielded under the list's path.
    """
    for field in fields:
        path = f"{prefix}{field.key}"
        yield path, field
        yield from flatten(field.fields, f"{path}.")


def _envelope(registry: Registry, catalog: Catalog, trigger: Trigger) -> Shape:
    events = tuple(
        Choice(value=event.value, label=event.label, help=event.help) for event in trigger.events
    )
    choices = {"event": events, "role": catalog.roles}
    return tuple(
        replace(field, choices=choices.get(field.key, ()))
        for field in registry.envelope
        if field.key != "role" or catalog.roles
    )


def _forms_of(catalog: Catalog, subject: Subject, overlay: Overlay) -> Overlay:
    """Return the overlay with the forms that may arrive attached to the subject as its own.

    A form template that also stands alone belongs to no resource of the subject.
    """
    attached = {
        other.key
        for other in catalog.subjects.values()
        for attachment in other.attachments
        if attachment.event_type.partition(".")[0] == subject.key
    }
    forms = tuple(
        replace(form, subject=subject.key, resource_id=None, fields=_moved(form, subject))
        if form.subject in attached
        else form
        for form in overlay.forms
    )
    return replace(overlay, forms=forms)


def _moved(form: Form, subject: Subject) -> tuple[CustomField, ...]:
    return tuple(replace(field, subject=subject.key) for field in form.fields)


def _present(
    fields: Shape, subject: str, path: str, overlay: Overlay, resource_ids: tuple[str, ...]
) -> Shape:
    present: list[Field] = []
    for field in fields:
        here = f"{path}.{field.key}"
        if field.optional and here not in overlay.optional_fields:
            continue
        inner = _present(field.fields, subject, here, overlay, resource_ids)
        if field.keys_from is not None:
            inner += _overlay_fields(field.keys_from, subject, overlay, resource_ids)
            if not inner:
                continue
        present.append(replace(field, fields=inner))
    return tuple(present)


def _overlay_fields(
    keys_from: KeysFrom, subject: str, overlay: Overlay, resource_ids: tuple[str, ...]
) -> Shape:
    custom = [
        custom
        for custom in _candidates(keys_from, subject, overlay, resource_ids)
        if custom.subject == subject
        and (not resource_ids or custom.resource_id is None or custom.resource_id in resource_ids)
    ]
    # Two forms may ask the same question under one key: the first one describes it.
    by_key = {one.key: _as_field(one) for one in reversed(custom)}
    return tuple(by_key[key] for key in dict.fromkeys(one.key for one in custom))


def _candidates(
    keys_from: KeysFrom, subject: str, overlay: Overlay, resource_ids: tuple[str, ...]
) -> Iterator[CustomField]:
    if keys_from is KeysFrom.CUSTOM_FIELDS:
        yield from overlay.custom_fields
        return
    for form in overlay.forms:
        other = resource_ids and form.resource_id is not None
        if form.subject == subject and not (other and form.resource_id not in resource_ids):
            yield from form.fields


def _as_field(custom: CustomField) -> Field:
    label = Text(en=custom.label, fr=custom.label, ja=custom.label)
    choices = tuple(
        Choice(value=choice, label=Text(en=choice, fr=choice, ja=choice))
        for choice in custom.choices
    )
    return Field(
        key=custom.key,
        type=custom.type,
        label=label,
        sample=_sample(custom),
        choices=choices,
        personal=custom.personal,
    )


def _sample(custom: CustomField) -> Json:
    if custom.sample is not None:
        return custom.sample
    return custom.choices[0] if custom.choices else _SAMPLES[custom.type]


def _all_optional(subject: Subject) -> frozenset[str]:
    return frozenset(
        f"{subject.key}.{path}" for path, field in flatten(subject.fields) if field.optional
    )


_SAMPLES = {
    FieldType.STRING: "text",
    FieldType.TEXT: "text",
    FieldType.INTEGER: 1,
    FieldType.NUMBER: 1.5,
    FieldType.BOOLEAN: True,
    FieldType.DATETIME: "2031-03-04T18:00:00+00:00",
    FieldType.DATE: "2031-03-04",
    FieldType.OBJECT: None,
    FieldType.LIST: [],
}
