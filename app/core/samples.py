"""The catalog's example, as if somebody had published it."""

from collections.abc import Mapping
from dataclasses import replace

from app.core.catalogs import EventType
from app.core.fields import Field, FieldType
from app.core.jsontypes import Json
from app.core.shapes import Shape


def sample_data(shape: Shape) -> dict[str, Json]:
    """Return published data made of every field's sample, at the field's source path."""
    data: dict[str, Json] = {}
    for field in shape:
        if field.label_of is None:
            _put(data, field.path_in_data, _sample(field))
    return data


def with_samples(shape: Shape, samples: Mapping[str, Json], prefix: str = "") -> Shape:
    """Return the shape with other samples at the given payload paths.

    The sample of a label follows that of its code.
    """
    changed = tuple(
        replace(
            field,
            sample=samples.get(f"{prefix}{field.key}", field.sample),
            fields=with_samples(field.fields, samples, f"{prefix}{field.key}."),
        )
        for field in shape
    )
    return tuple(_labelled(field, changed) for field in changed)


def sample_role(event: EventType, envelope: Shape) -> int:
    """Return the role of whoever caused the example of an event."""
    default = next(field.sample for field in envelope if field.key == "role")
    return int(event.samples.get("role", default))


def _labelled(field: Field, siblings: Shape) -> Field:
    if field.label_of is None:
        return field
    labels = (
        choice.label.en
        for code in siblings
        if code.key == field.label_of
        for choice in code.choices
        if choice.value == code.sample
    )
    return replace(field, sample=next(labels, None))


def _sample(field: Field) -> Json:
    if not field.fields:
        return field.sample
    if field.type is FieldType.LIST:
        return field.sample if field.sample is not None else [sample_data(field.fields)]
    extra = field.sample if field.open and isinstance(field.sample, dict) else {}
    return {**extra, **sample_data(field.fields)}


def _put(data: dict[str, Json], path: str, value: Json) -> None:
    *parents, key = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
    if isinstance(value, dict) and isinstance(data.get(key), dict):
        data[key] = {**value, **data[key]}
    else:
        data[key] = value
