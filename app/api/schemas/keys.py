"""API keys, without the keys."""

from typing import ClassVar

from app.api.schemas.accounts import AccountSchema
from app.api.schemas.fields import Member, Moment, Part, Text
from app.api.schemas.wire import WireSchema
from app.core.accounts import Scope


class NewKeySchema(WireSchema):
    """A key to be made."""

    name = Text(
        required=True,
        min_length=1,
        max_length=200,
        metadata={"description": "What people recognise it by."},
    )
    expires_at = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it stops working; never where left out."},
    )
    example: ClassVar = {"name": "Zapier", "expires_at": "2027-03-09T13:00:00.000Z"}


class KeySchema(WireSchema):
    """An API key as it is kept: a hash, and the beginning for people to recognise it."""

    id = Text(required=True)
    name = Text(required=True)
    prefix = Text(required=True, metadata={"description": "How the key begins."})
    created_at = Moment(required=True)
    expires_at = Moment(required=True, allow_none=True)
    revoked_at = Moment(required=True, allow_none=True)
    last_used_at = Moment(required=True, allow_none=True)
    example: ClassVar = {
        "id": "key_06d3k7q2v8r4x9m1z5c0t7w2ha",
        "name": "Zapier",
        "prefix": "rk_acc_4tq7zk2m",
        "created_at": "2026-03-09T13:00:00.000Z",
        "expires_at": "2027-03-09T13:00:00.000Z",
        "revoked_at": None,
        "last_used_at": None,
    }


class CreatedKeySchema(KeySchema):
    """A key that was just made."""

    key = Text(required=True, metadata={"description": "The key itself, shown this once."})
    example: ClassVar = {**KeySchema.example, "key": "rk_acc_4tq7zk2m…"}


class KeyNameSchema(WireSchema):
    """The key that was used."""

    id = Text(required=True)
    name = Text(required=True)
    prefix = Text(required=True)


class MeSchema(WireSchema):
    """Whom the key speaks for."""

    scope = Member(Scope, required=True, metadata={"description": "The scope of the key."})
    key = Part(KeyNameSchema, required=True)
    account = Part(
        AccountSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The account it speaks for; null for all of them."},
    )
    label = Text(
        required=True, metadata={"description": "A name for people: connected as *label*."}
    )
    version = Text(required=True, metadata={"description": "The version of Relais."})
    example: ClassVar = {
        "scope": "account",
        "key": {
            "id": "key_06d3k7q2v8r4x9m1z5c0t7w2ha",
            "name": "Zapier",
            "prefix": "rk_acc_4tq7zk2m",
        },
        "account": AccountSchema.example,
        "label": "Atelier Bleu",
        "version": "0.1.0",
    }
