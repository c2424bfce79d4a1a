"""Resources: what subscriptions can be restricted to."""

from typing import ClassVar

from app.api.schemas.fields import IdText, JsonObject, ListOf, Part, QueryWhole, Text
from app.api.schemas.queries import PageQuerySchema
from app.api.schemas.wire import WireSchema


class ResourceSchema(WireSchema):
    """One thing that subscriptions can be restricted to, as drop-downs show it."""

    id = Text(required=True, metadata={"description": "The vendor's own id, as text."})
    label = Text(required=True)
    kind = Text(required=True)
    attributes = JsonObject(
        required=True, metadata={"description": "Facts that rules ask for, such as `submittable`."}
    )
    example: ClassVar = {"id": "51423", "label": "Yoga room", "kind": "schedule", "attributes": {}}


class ResourceContentSchema(WireSchema):
    """A resource whose id stands in the path."""

    label = Text(required=True, min_length=1, max_length=300)
    attributes = JsonObject(load_default=dict)
    example: ClassVar = {"label": "Yoga room"}


class NewResourceSchema(ResourceContentSchema):
    """A resource with its id."""

    id = IdText(required=True, min_length=1, max_length=200)
    example: ClassVar = {"id": "51423", "label": "Yoga room"}


class ResourcesSchema(WireSchema):
    """All resources of one kind."""

    batch_of = "resources"
    resources = ListOf(Part(NewResourceSchema), required=True, high=20_000)
    example: ClassVar = {
        "resources": [
            {"id": "51423", "label": "Yoga room"},
            {"id": "51424", "label": "Swimming pool"},
        ]
    }


class ResourcesQuerySchema(PageQuerySchema):
    """Which resources."""

    q = Text(
        load_default="",
        max_length=200,
        metadata={"description": "Only those whose label or id contains this."},
    )
    page = QueryWhole(
        low=0,
        high=10_000,
        load_default=None,
        metadata={"description": "Instead of `cursor`: which page of `limit` items, from 0."},
    )
