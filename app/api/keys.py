"""API keys of accounts, and of the publisher."""

from dataclasses import asdict
from typing import Any

from flask import Response

from app.api.answers import Answer, no_content
from app.api.auth import Access
from app.api.current import context
from app.api.paging import whole_answer
from app.api.schemas.keys import CreatedKeySchema, KeySchema, NewKeySchema
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.errors import NotFoundError
from app.core.jsontypes import Json
from app.services import keys
from app.services.keys import NewKey

section = Section("Keys", "API keys: made once, shown once, kept as a hash.")
_KeyListSchema = list_of(KeySchema)


@section.post("/accounts/<account>/keys")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.arguments(NewKeySchema)
@section.response(201, CreatedKeySchema)
def create_account_key(body: dict[str, Any], account: str) -> Answer:
    """Make a key for an account. The key is shown this once."""
    made = keys.create_key(
        context(), name=body["name"], account=account, expires_at=body["expires_at"]
    )
    return _created(made)


@section.get("/accounts/<account>/keys")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.response(200, _KeyListSchema)
def list_account_keys(account: str) -> Json:
    """List an account's keys, revoked ones too."""
    return whole_answer(keys.list_keys(context(), account))


@section.delete("/accounts/<account>/keys/<key_id>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.response(204)
def revoke_account_key(account: str, key_id: str) -> Response:
    """Revoke an account's key at once."""
    keys.revoke_key(context(), key_id, account=account)
    return no_content()


@section.post("/keys")
@section.access(Access.PUBLISHER)
@section.arguments(NewKeySchema)
@section.response(201, CreatedKeySchema)
def create_publisher_key(body: dict[str, Any]) -> Answer:
    """Make a publisher key. The key is shown this once."""
    return _created(keys.create_key(context(), name=body["name"], expires_at=body["expires_at"]))


@section.get("/keys")
@section.access(Access.PUBLISHER)
@section.response(200, _KeyListSchema)
def list_publisher_keys() -> Json:
    """List the publisher keys, revoked ones too."""
    return whole_answer(keys.list_keys(context(), None))


@section.delete("/keys/<key_id>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.response(204)
def revoke_publisher_key(key_id: str) -> Response:
    """Revoke a publisher key at once."""
    keys.revoke_key(context(), key_id, account=None)
    return no_content()


def _created(made: NewKey) -> Answer:
    # The schema writes what it names, and no more of what is stored.
    return {**asdict(made.stored), "key": made.key}, 201, {}
