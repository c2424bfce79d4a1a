"""The catalog's example, as if somebody had published it."""

from collections.abc import Mapping
from dataclasses import replace

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


def with_samples(shape: Shape, choices: Mapping[str, Json], prefix: str = "") -> Shape:
    """Return the shape with other samples at the given payload paths."""
    return tuple(
        replace(
            field,
            sample=choices.get(f"{prefix}{field.key}", field.sample),
            fields=with_samples(field.fields, choices, f"{prefix}{field.key}."),
        )
        for field in shape
    )


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
