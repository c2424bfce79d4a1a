"""Accounts and overlays between the wire and the use cases."""

from collections.abc import Mapping

from app.core.accounts import CustomField, Form, Overlay
from app.core.fields import FieldType
from app.core.jsontypes import Json
from app.services.accounts import AccountChange
from app.services.resources import NewResource


def account_change(body: Mapping[str, Json]) -> AccountChange:
    """Return what a loaded `AccountChangeSchema` sets."""
    return AccountChange(
        name=body.get("name"),
        language=body.get("language"),
        enabled=body.get("enabled"),
        catalogs=tuple(body["catalogs"]) if "catalogs" in body else None,
        features=body.get("features"),
    )


def overlay_of(body: Mapping[str, Json]) -> Overlay:
    """Return the overlay that a loaded `OverlaySchema` describes."""
    return Overlay(
        optional_fields=frozenset(
            f"{subject}.{path}"
            for subject, paths in body["optional_fields"].items()
            for path in paths
        ),
        custom_fields=tuple(_custom_field(one, one["subject"]) for one in body["custom_fields"]),
        forms=tuple(_form(one) for one in body["forms"]),
    )


def overlay_answer(overlay: Overlay) -> dict[str, Json]:
    """Return an overlay as `OverlaySchema` writes it."""
    optional: dict[str, list[str]] = {}
    for name in sorted(overlay.optional_fields):
        subject, _, path = name.partition(".")
        optional.setdefault(subject, []).append(path)
    return {
        "optional_fields": optional,
        "custom_fields": overlay.custom_fields,
        "forms": overlay.forms,
    }


def resource_of(resource_id: str, body: Mapping[str, Json]) -> NewResource:
    """Return the resource that a loaded `ResourceContentSchema` describes."""
    return NewResource(id=resource_id, label=body["label"], attributes=body["attributes"])


def _form(body: Mapping[str, Json]) -> Form:
    return Form(
        id=body["id"],
        name=body["name"],
        subject=body["subject"],
        fields=tuple(_custom_field(one, body["subject"]) for one in body["fields"]),
        resource_id=body["resource_id"],
    )


def _custom_field(body: Mapping[str, Json], subject: str) -> CustomField:
    return CustomField(
        subject=subject,
        key=body["key"],
        type=FieldType(body["type"]),
        label=body["label"],
        sample=body["sample"],
        choices=tuple(body["choices"]),
        resource_id=body.get("resource_id"),
        personal=body["personal"],
    )
