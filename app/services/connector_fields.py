"""A payload's shape in the words of Zapier: output fields, and a static sample.

Zapier names nested fields in its own way: ``contact__email`` is the key ``email`` of
the object ``contact``, and ``answers[]text`` the key ``text`` of every object in the
list ``answers``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from app.core.catalogs import Registry, Trigger
from app.core.fields import Field, FieldType
from app.core.jsontypes import Json
from app.core.payloads import Envelope, payload
from app.core.samples import sample_data, sample_role, with_samples
from app.core.shapes import Shape
from app.services.titles import qualified, title_case

_ZAPIER_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.STRING: "string",
    FieldType.TEXT: "string",
    FieldType.INTEGER: "integer",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATETIME: "datetime",
    FieldType.DATE: "datetime",
}
# Relais itself fills these in, so they are never null. Of anything else the vendor
# may know nothing, and Zapier compares the type of what it finds.
_NEVER_NULL: Final = frozenset({"id", "trigger", "event", "occurred_at", "account"})


def output_fields(shape: Shape) -> list[Json]:
    """Return Zapier's output fields for payloads of this shape, in its order."""
    fields: list[dict[str, Json]] = [
        made for field in shape for made in _output_fields(field, "", parent="", parents="")
    ]
    for made in fields:
        if made["key"] in _NEVER_NULL:
            made["required"] = True
    return list(fields)


def static_sample(registry: Registry, trigger: Trigger, shape: Shape) -> dict[str, Json]:
    """Return the catalog's example of the trigger, from the serializer of deliveries.

    It is an example of the trigger's first event.
    It promises only the keys that every payload of this shape has: what is in an open
    object differs from record to record, so such an object shows its declared keys
    only (Zapier's check T004).
    """
    event = trigger.events[0]
    closed = tuple(_closed(field) for field in shape)
    samples = {field.key: field.sample for field in registry.envelope}
    envelope = Envelope(
        id=samples["id"],
        trigger=trigger.key,
        event=event.value,
        role=sample_role(event, registry.envelope),
        occurred_at=samples["occurred_at"],
        account=samples["account"],
    )
    data = sample_data(with_samples(closed, event.samples))
    return payload(envelope, data, shape=closed, language="en")


def _output_fields(
    field: Field, prefix: str, *, parent: str, parents: str
) -> Iterator[dict[str, Json]]:
    key = f"{prefix}{field.key}"
    own = title_case(field.label.en)
    label = qualified(own, parent=parent, parents=parents)
    if field.fields:
        separator = "[]" if field.type is FieldType.LIST else "__"
        for inner in field.fields:
            yield from _output_fields(inner, f"{key}{separator}", parent=own, parents=label)
        return
    made: dict[str, Json] = {"key": key, "label": label}
    leaf_type = field.item if field.type is FieldType.LIST else field.type
    if leaf_type is not None and leaf_type in _ZAPIER_TYPES:
        made["type"] = _ZAPIER_TYPES[leaf_type]
    if field.type is FieldType.LIST:
        made["list"] = True
    yield made


def _closed(field: Field) -> Field:
    return replace(field, open=False, fields=tuple(_closed(inner) for inner in field.fields))
