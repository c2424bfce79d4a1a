"""What a schema cannot say about an event's samples: paths that exist, values that fit."""

from collections.abc import Iterator, Sequence

from app.catalog.payload_paths import no_path, payload_fields
from app.catalog.problems import KeyPath, Problem
from app.catalog.samples import misfit
from app.core.jsontypes import Json, JsonObject


def check_event_samples(subject: str, catalog: JsonObject) -> Iterator[Problem]:
    """Yield what is wrong with the samples of a subject's events."""
    fields = payload_fields(catalog, subject)
    for key, event in catalog["subjects"][subject]["events"].items():
        for path, value in event.get("samples", {}).items():
            reason = (
                _misfit_of_role(value, catalog.get("roles", ()))
                if path == "role" and catalog.get("roles")
                else _misfit(path, value, fields, subject, catalog)
            )
            if reason:
                at: KeyPath = ("subjects", subject, "events", key, "samples", path)
                yield Problem(at=at, message=reason)


def _misfit_of_role(value: Json, roles: Sequence[JsonObject]) -> str | None:
    known = [role["value"] for role in roles]
    if value in known and not isinstance(value, bool):
        return None
    return f"{value} is not one of the roles {', '.join(map(str, known))}"


def _misfit(
    path: str, value: Json, fields: dict[str, JsonObject], subject: str, catalog: JsonObject
) -> str | None:
    field = fields.get(path)
    if field is None:
        return no_path(path, subject)
    if label_of := field.get("label_of"):
        return f"follows {label_of}; give the sample of that one"
    if value is None and path == f"{subject}_id":
        return "must not be null; every record has an id"
    return misfit(value, field) or _misfit_of_choice(value, field, catalog)


def _misfit_of_choice(value: Json, field: JsonObject, catalog: JsonObject) -> str | None:
    name = field.get("choices")
    choices = catalog.get("enumerations", {}).get(name)
    if value is None or choices is None or value in [choice["value"] for choice in choices]:
        return None
    return f"{value} is not a value of the enumeration {name}"
