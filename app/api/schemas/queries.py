"""Query parameters that many lists share."""

from app.api.paging import DEFAULT_LIMIT, MAX_LIMIT
from app.api.schemas.fields import QueryValues, QueryWhole, Text
from app.api.schemas.wire import WireSchema


class NoQuerySchema(WireSchema):
    """No parameters."""


class PageQuerySchema(WireSchema):
    """Which part of a list."""

    limit = QueryWhole(
        low=1,
        high=MAX_LIMIT,
        load_default=DEFAULT_LIMIT,
        metadata={"description": "How many at once."},
    )
    cursor = Text(
        max_length=500,
        load_default=None,
        metadata={"description": "The `next_cursor` of the page before."},
    )


class ResourceIdsQuerySchema(WireSchema):
    """As for a subscription that is restricted to these resources."""

    resource_id = QueryValues(
        load_default=(),
        high=100,
        metadata={
            "description": "As for a subscription restricted to these resources. Repeat the "
            "parameter, or separate ids by commas."
        },
    )
