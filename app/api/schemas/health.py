"""The health of the service."""

from typing import ClassVar

from app.api.schemas.fields import ListOf, Member, Part
from app.api.schemas.problems import FieldProblemSchema
from app.api.schemas.wire import WireSchema


class HealthSchema(WireSchema):
    """It works."""

    status = Member(["ok"], required=True)
    example: ClassVar = {"status": "ok"}


class ReadinessSchema(WireSchema):
    """It works, and what is worth a look all the same."""

    status = Member(["ok"], required=True)
    warnings = ListOf(
        Part(FieldProblemSchema),
        required=True,
        metadata={"description": "What does not keep it from working: `queue` is `late`."},
    )
    example: ClassVar = {
        "status": "ok",
        "warnings": [
            {
                "field": "queue",
                "code": "late",
                "message": "The oldest due delivery has been due for 7 minutes.",
            }
        ],
    }
