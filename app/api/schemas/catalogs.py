"""The catalogs that are loaded, and the health of the service."""

from typing import ClassVar

from app.api.schemas.fields import ListOf, Member, Part, Text
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


class HealthSchema(WireSchema):
    """It works."""

    status = Member(["ok"], required=True)
    example: ClassVar = {"status": "ok"}
