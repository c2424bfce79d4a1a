"""Which single values the payload of a subject in a catalog file has, by dotted path."""

from collections.abc import Iterator, Sequence

from app.core.fields import FieldType
from app.core.jsontypes import JsonObject


def payload_fields(catalog: JsonObject, subject: str) -> dict[str, JsonObject]:
    """Return the fields with a value of their own (no objects), the record's id first.

    What Relais fills in itself (``id``, ``event``, ``role``, …) is not among them.
    """
    declared = catalog["subjects"][subject]
    return {f"{subject}_id": declared["record_id"], **dict(_leaves(declared["fields"], ""))}


def no_path(path: str, subject: str) -> str:
    """Return how to say that the payload of a subject has no value at ``path``."""
    return f"the payload of {subject} has no single value at {path}; use the path of a field"


def _leaves(fields: Sequence[JsonObject], prefix: str) -> Iterator[tuple[str, JsonObject]]:
    for field in fields:
        path = f"{prefix}{field['key']}"
        if field["type"] == FieldType.OBJECT:
            yield from _leaves(field.get("fields", ()), f"{path}.")
        else:
            yield path, field
