"""Accounts: the vendor's customers, what their payloads hold, and their resources."""

from typing import Any

from flask import Response

from app.api.account_inputs import account_change, overlay_answer, overlay_of, resource_of
from app.api.answers import Answer, no_content
from app.api.auth import Access
from app.api.current import absolute_url, context
from app.api.paging import page_answer, whole_answer
from app.api.resource_pages import resource_page
from app.api.schemas.account_resources import (
    ResourceContentSchema,
    ResourceSchema,
    ResourcesQuerySchema,
    ResourcesSchema,
)
from app.api.schemas.accounts import (
    AccountChangeSchema,
    AccountSchema,
    AccountsQuerySchema,
    NewAccountSchema,
    OverlaySchema,
)
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.errors import ConflictError, NotFoundError
from app.core.jsontypes import Json
from app.services import accounts, resources

section = Section("Accounts", "The vendor's customers, and what each one has.")
_LOCATION = {"Location": {"description": "Its URL.", "schema": {"type": "string", "format": "uri"}}}


@section.post("/accounts")
@section.access(Access.PUBLISHER, refuses=(ConflictError,))
@section.arguments(NewAccountSchema)
@section.response(201, AccountSchema, headers=_LOCATION)
def create_account(body: dict[str, Any]) -> Answer:
    """Make an account under your own id for it.

    What is left out gets a default: English, switched on, all catalogs.
    """
    made = accounts.create_account(context(), body["reference"], account_change(body))
    return made, 201, {"Location": absolute_url(f"/accounts/{made.id}")}


@section.get("/accounts")
@section.access(Access.PUBLISHER)
@section.arguments(AccountsQuerySchema, location="query")
@section.response(200, list_of(AccountSchema))
def list_accounts(query: dict[str, Any]) -> Json:
    """List the accounts, or find the one with a reference."""
    if query["reference"] is not None:
        return whole_answer(accounts.accounts_with_reference(context(), query["reference"]))
    return page_answer(
        accounts.list_accounts(context(), limit=query["limit"], cursor=query["cursor"])
    )


@section.get("/accounts/<account>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.response(200, AccountSchema)
def get_account(account: str) -> Json:
    """Read one account."""
    return accounts.find_account(context(), account)


@section.patch("/accounts/<account>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.arguments(AccountChangeSchema)
@section.response(200, AccountSchema)
def change_account(body: dict[str, Any], account: str) -> Json:
    """Change an account.

    What is left out stays; features are set one by one.
    """
    return accounts.change_account(context(), account, account_change(body))


@section.get("/accounts/<account>/overlay")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.response(200, OverlaySchema)
def get_overlay(account: str) -> Json:
    """Read what the account's payloads hold beyond the standing fields."""
    return overlay_answer(accounts.find_account(context(), account).overlay)


@section.put("/accounts/<account>/overlay")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.arguments(OverlaySchema)
@section.response(200, OverlaySchema)
def put_overlay(body: dict[str, Any], account: str) -> Json:
    """Replace what the account's payloads hold beyond the standing fields.

    Samples, field lists, schemas and payloads follow at once.
    """
    changed = accounts.put_overlay(context(), account, overlay_of(body))
    return overlay_answer(changed.overlay)


@section.get("/accounts/<account>/resources/<kind>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.arguments(ResourcesQuerySchema, location="query")
@section.response(200, list_of(ResourceSchema))
def list_account_resources(query: dict[str, Any], account: str, kind: str) -> Json:
    """List an account's resources of one kind."""
    found = accounts.find_account(context(), account)
    return resource_page(context(), found.id, kind, query)


@section.put("/accounts/<account>/resources/<kind>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.arguments(ResourcesSchema)
@section.response(200, list_of(ResourceSchema))
def put_account_resources(body: dict[str, Any], account: str, kind: str) -> Json:
    """Replace all resources of one kind.

    Those that are left out are no longer offered.
    """
    given = [resource_of(one["id"], one) for one in body["resources"]]
    return whole_answer(resources.put_resources(context(), account, kind, given, replace=True))


@section.put("/accounts/<account>/resources/<kind>/<path:resource_id>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.arguments(ResourceContentSchema)
@section.response(200, ResourceSchema)
def put_account_resource(body: dict[str, Any], account: str, kind: str, resource_id: str) -> Json:
    """Add or replace one resource."""
    given = [resource_of(resource_id, body)]
    return resources.put_resources(context(), account, kind, given, replace=False)[0]


@section.delete("/accounts/<account>/resources/<kind>/<path:resource_id>")
@section.access(Access.PUBLISHER, refuses=(NotFoundError,))
@section.response(204)
def delete_account_resource(account: str, kind: str, resource_id: str) -> Response:
    """Delete one resource."""
    resources.delete_resource(context(), account, kind, resource_id)
    return no_content()
