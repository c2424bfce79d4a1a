"""An account's overlay as JSON and back."""

from app.core.accounts import CustomField, Form, Overlay
from app.core.fields import FieldType
from app.core.jsontypes import JsonObject


def overlay_json(overlay: Overlay) -> JsonObject:
    """Return the overlay as a JSON object."""
    return {
        "optional_fields": sorted(overlay.optional_fields),
        "custom_fields": [_custom_field_json(each) for each in overlay.custom_fields],
        "forms": [_form_json(each) for each in overlay.forms],
    }


def overlay(json: JsonObject) -> Overlay:
    """Return the overlay that `overlay_json` wrote."""
    return Overlay(
        optional_fields=frozenset(json["optional_fields"]),
        custom_fields=tuple(_custom_field(each) for each in json["custom_fields"]),
        forms=tuple(_form(each) for each in json["forms"]),
    )


def _custom_field_json(field: CustomField) -> JsonObject:
    return {
        "subject": field.subject,
        "key": field.key,
        "type": field.type.value,
        "label": field.label,
        "sample": field.sample,
        "choices": field.choices,
        "resource_id": field.resource_id,
        "personal": field.personal,
    }


def _custom_field(json: JsonObject) -> CustomField:
    return CustomField(
        subject=json["subject"],
        key=json["key"],
        type=FieldType(json["type"]),
        label=json["label"],
        sample=json["sample"],
        choices=tuple(json["choices"]),
        resource_id=json["resource_id"],
        personal=json["personal"],
    )


def _form_json(form: Form) -> JsonObject:
    return {
        "id": form.id,
        "name": form.name,
        "subject": form.subject,
        "fields": [_custom_field_json(each) for each in form.fields],
        "resource_id": form.resource_id,
    }


def _form(json: JsonObject) -> Form:
    return Form(
        id=json["id"],
        name=json["name"],
        subject=json["subject"],
        fields=tuple(_custom_field(each) for each in json["fields"]),
        resource_id=json["resource_id"],
    )
