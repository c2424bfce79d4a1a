"""Problem bodies: what every refusal looks like (RFC 9457)."""

from typing import ClassVar

from app.api.errors import BY_CODE, KINDS, problem_body
from app.api.schemas.fields import ListOf, Member, Part, Text, Whole
from app.api.schemas.wire import WireSchema
from app.core.errors import FieldProblem, InvalidRequestError


class FieldProblemSchema(WireSchema):
    """One thing that is wrong with one part of a request."""

    field = Text(
        required=True,
        metadata={"description": "A dotted path into the request, `filters.all.0.field`."},
    )
    code = Text(
        required=True,
        metadata={
            "description": "Stable: `unknown_field`, `required`, `wrong_type`, `invalid`, "
            "`unknown_choice`, …"
        },
    )
    message = Text(required=True, metadata={"description": "What is wrong and what to do."})


class ProblemSchema(WireSchema):
    """Why a request was refused."""

    type = Text(required=True, metadata={"description": "A page about this kind of problem."})
    title = Text(required=True)
    status = Whole(required=True, metadata={"description": "The HTTP status again."})
    code = Member(sorted(BY_CODE), required=True, metadata={"description": "Never changes."})
    detail = Text(required=True, metadata={"description": "What happened this time, for people."})
    errors = ListOf(
        Part(FieldProblemSchema),
        metadata={"description": "What is wrong with which field, where fields are to blame."},
    )
    request_id = Text(
        required=True, metadata={"description": "Names the request in the log of Relais."}
    )
    example: ClassVar = problem_body(
        KINDS[InvalidRequestError],
        "This subscription cannot be made.",
        request_id="req_06d3k7q2v8r4x9m1z5c0t7w2ha",
        problems=[
            FieldProblem(
                field="target_url",
                code="required",
                message="This is required.",
            )
        ],
    )
