"""Resources, as an account's drop-downs show them."""

from typing import Any

from app.api.auth import Access
from app.api.current import account_id, context
from app.api.resource_pages import resource_page
from app.api.schemas.account_resources import ResourceSchema, ResourcesQuerySchema
from app.api.schemas.wire import list_of
from app.api.section import Section
from app.core.errors import NotFoundError
from app.core.jsontypes import Json

section = Section("Resources", "What subscriptions can be restricted to, for drop-downs.")


@section.get("/resources/<kind>")
@section.access(Access.ACCOUNT, refuses=(NotFoundError,))
@section.arguments(ResourcesQuerySchema, location="query")
@section.response(200, list_of(ResourceSchema))
def list_resources(query: dict[str, Any], kind: str) -> Json:
    """List the account's resources of one kind.

    By label. `q` searches in labels and ids.
    """
    return resource_page(context(), account_id(), kind, query)
