"""What all wire shapes have in common."""

from functools import cache
from typing import ClassVar

import marshmallow as ma

from app.api.schemas.fields import Coded, ListOf, Part, Text
from app.core.jsontypes import Json


class WireSchema(ma.Schema):
    """A JSON object with exactly the fields that it names.

    Attributes:
        example: A complete example, for the API's description; tests check it.
        batch_of: For bodies that carry many things at once: the key of their list.
            Such a body may be larger than others.
        optional: For bodies that may be left out: every field has its default.
    """

    error_messages: dict[str, str] = {  # noqa: RUF012  # marshmallow merges copies
        "unknown": Coded("unknown_field", "There is no such field here."),
        "type": Coded("wrong_type", "This has to be a JSON object."),
    }
    example: ClassVar[Json] = None
    batch_of: ClassVar[str | None] = None
    optional: ClassVar[bool] = False


@cache  # one shape, one name in the description
def list_of(schema: type[WireSchema]) -> type[WireSchema]:
    """Return the shape of a list of ``schema``, a page of it or all."""
    name = schema.__name__.removesuffix("Schema")
    listed = WireSchema.from_dict(
        {
            "data": ListOf(Part(schema), required=True),
            "next_cursor": Text(
                required=True,
                allow_none=True,
                metadata={"description": "Send it as `cursor` for the next page; null at the end."},
            ),
        },
        name=f"{name}ListSchema",
    )
    assert issubclass(listed, WireSchema)  # noqa: S101 - tells mypy what from_dict returns
    listed.example = {"data": [schema.example], "next_cursor": None}
    return listed
