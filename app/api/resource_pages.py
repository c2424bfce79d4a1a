"""Pages of resources, by cursor or by number: some drop-downs count pages."""

from collections.abc import Mapping

from app.api.paging import offset_cursor, offset_of
from app.core.errors import FieldProblem, InvalidRequestError
from app.core.ids import AccountId
from app.core.jsontypes import Json
from app.services.context import Context
from app.services.resources import list_resources


def resource_page(
    context: Context, account_id: AccountId, kind: str, query: Mapping[str, Json]
) -> dict[str, Json]:
    """Return the page that a `ResourcesQuerySchema` asks for.

    Raises:
        InvalidRequestError: Both a page and a cursor, or a cursor of another list.
        NotFoundError: There is no such kind of resource.
    """
    limit, offset = query["limit"], _offset(query)
    found, more = list_resources(
        context, account_id, kind, search=query["q"], limit=limit, offset=offset
    )
    return {"data": found, "next_cursor": offset_cursor(offset + limit) if more else None}


def _offset(query: Mapping[str, Json]) -> int:
    page, cursor, limit = query["page"], query["cursor"], query["limit"]
    if page is not None and cursor is not None:
        message = "Send `page` or `cursor`, not both."
        problem = FieldProblem(field="page", code="conflict", message=message)
        raise InvalidRequestError("Which page?", problems=(problem,))
    if cursor is not None:
        return offset_of(cursor)
    return int(page or 0) * int(limit)
