"""Accounts, and what their payloads hold beyond the standing fields."""

from typing import ClassVar

from app.api.schemas.fields import (
    Flag,
    IdText,
    JsonObject,
    JsonValue,
    ListOf,
    Member,
    Moment,
    Part,
    Text,
)
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.wire import WireSchema
from app.api.schemas.words import FORM_KEY, REFERENCE
from app.core.fields import LANGUAGES, FieldType

_CREATED = "2026-03-09T13:00:00.000Z"


class AccountChangeSchema(WireSchema):
    """What to change about an account; what is left out stays."""

    name = Text(min_length=1, max_length=200, metadata={"description": "For people."})
    language = Member(
        list(LANGUAGES), metadata={"description": "The language of derived texts in payloads."}
    )
    enabled = Flag(metadata={"description": "The main switch; while it is off, nothing fires."})
    catalogs = ListOf(
        Text(),
        high=100,
        metadata={"description": "The catalogs that the account uses; empty means all."},
    )
    features = JsonObject(
        keys=Text(),
        values=Flag(),
        metadata={"description": "Features to switch on or off; the others stay as they are."},
    )
    example: ClassVar = {"enabled": True, "features": {"shop": True}}


class NewAccountSchema(AccountChangeSchema):
    """An account to be made."""

    reference = Text(
        required=True,
        max_length=200,
        validate=[REFERENCE],
        metadata={"description": "Your own id for it, unique; payloads show it as `account`."},
    )
    name = Text(
        required=True, min_length=1, max_length=200, metadata={"description": "For people."}
    )
    example: ClassVar = {"reference": "atelier-bleu", "name": "Atelier Bleu", "language": "fr"}


class AccountSchema(WireSchema):
    """A tenant: the vendor's customer."""

    id = Text(required=True)
    reference = Text(required=True, metadata={"description": "The vendor's own id for it."})
    name = Text(required=True)
    language = Member(list(LANGUAGES), required=True)
    enabled = Flag(required=True, metadata={"description": "While false, nothing fires."})
    catalogs = ListOf(
        Text(), required=True, metadata={"description": "The catalogs it uses; empty means all."}
    )
    features = JsonObject(
        required=True,
        keys=Text(),
        values=Flag(),
        metadata={"description": "Features set for it; others have the catalog's default."},
    )
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    example: ClassVar = {
        "id": "acc_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "reference": "atelier-bleu",
        "name": "Atelier Bleu",
        "language": "fr",
        "enabled": True,
        "catalogs": [],
        "features": {"shop": True},
        "created_at": _CREATED,
        "updated_at": _CREATED,
    }


class AccountsQuerySchema(PageQuerySchema):
    """Which accounts."""

    reference = Text(
        load_default=None,
        max_length=200,
        metadata={"description": "Only the account with this reference, if there is one."},
    )


class FormFieldSchema(WireSchema):
    """One question of a form."""

    key = Text(
        required=True,
        max_length=100,
        validate=[FORM_KEY],
        metadata={"description": "Its key in payloads; without dots."},
    )
    type = Member(FieldType, required=True)
    label = Text(
        required=True,
        min_length=1,
        max_length=200,
        metadata={"description": "The account's own word, in its own language."},
    )
    sample = JsonValue(
        load_default=None, allow_none=True, metadata={"description": "What samples show."}
    )
    choices = ListOf(
        Text(max_length=200),
        load_default=(),
        high=500,
        metadata={"description": "The closed set of its values; empty where any may come."},
    )
    personal = Flag(load_default=False, metadata={"description": "Holds personal data."})


class CustomFieldSchema(FormFieldSchema):
    """A field that the account added to a subject."""

    subject = Text(required=True, metadata={"description": "Which records have it: `user`."})
    resource_id = IdText(
        load_default=None,
        allow_none=True,
        max_length=200,
        metadata={"description": "The one resource that it belongs to; null means all."},
    )


class FormSchema(WireSchema):
    """A form of the account, whose answers appear in payloads."""

    id = IdText(required=True, min_length=1, max_length=200)
    name = Text(required=True, min_length=1, max_length=200)
    subject = Text(
        required=True, metadata={"description": "Which records carry it: `form`, `appointment`."}
    )
    fields_ = ListOf(
        Part(FormFieldSchema), required=True, high=500, data_key="fields", attribute="fields"
    )
    resource_id = IdText(
        load_default=None,
        allow_none=True,
        max_length=200,
        metadata={"description": "The one resource that it belongs to; null means all."},
    )


class OverlaySchema(WireSchema):
    """What an account's payloads hold beyond the catalog's standing fields."""

    optional_fields = JsonObject(
        load_default=dict,
        keys=Text(),
        values=ListOf(Text()),
        metadata={"description": "By subject, the optional fields that the account uses."},
    )
    custom_fields = ListOf(Part(CustomFieldSchema), load_default=(), high=1_000)
    forms = ListOf(Part(FormSchema), load_default=(), high=1_000)
    example: ClassVar = {
        "optional_fields": {"appointment": ["mobile"]},
        "custom_fields": [
            {
                "subject": "user",
                "key": "club_card",
                "type": "string",
                "label": "Carte de fidélité",
                "sample": "C-1042",
                "choices": [],
                "personal": False,
                "resource_id": None,
            }
        ],
        "forms": [
            {
                "id": "714",
                "name": "Questionnaire de santé",
                "subject": "form",
                "resource_id": "714",
                "fields": [
                    {
                        "key": "allergies",
                        "type": "text",
                        "label": "Allergies",
                        "sample": "Pollen",
                        "choices": [],
                        "personal": True,
                    }
                ],
            }
        ],
    }
