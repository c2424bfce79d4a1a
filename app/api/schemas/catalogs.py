"""The catalogs that are loaded."""

from typing import ClassVar

from app.api.schemas.fields import ListOf, Part, Text
from app.api.schemas.wire import WireSchema


class CatalogTriggerSchema(WireSchema):
    """A trigger of a catalog."""

    key = Text(required=True)
    label = Text(required=True)


class CatalogSchema(WireSchema):
    """One product's triggers."""

    key = Text(required=True)
    name = Text(required=True)
    triggers = ListOf(Part(CatalogTriggerSchema), required=True)
    example: ClassVar = {
        "key": "bookings",
        "name": "Bookings",
        "triggers": [{"key": "changed_appointment", "label": "Changed appointment"}],
    }
