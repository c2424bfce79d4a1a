"""What the API says about itself: its description, and pages about its problems."""

from flask import Response, current_app

from app.api.answers import json_answer
from app.api.auth import Access
from app.api.current import API_ROOT
from app.api.errors import BY_CODE
from app.api.openapi import openapi_document
from app.api.section import Section
from app.core.errors import NotFoundError

section = Section("Documents", "What the API says about itself; no key needed.", url_prefix="/")


@section.get(f"{API_ROOT}/openapi.json")
@section.access(Access.EVERYBODY)
@section.response(200, {"type": "object"}, example={"openapi": "3.1.0"})
def get_openapi() -> Response:
    """Read this description of the API."""
    return json_answer(openapi_document(current_app))


@section.get("/problems/<code>")
@section.access(Access.EVERYBODY, refuses=(NotFoundError,))
@section.response(200, {"type": "string"}, content_type="text/plain", example="not_found (404)\n")
def get_problem(code: str) -> Response:
    """Read about a kind of problem: the page that its `type` leads to."""
    kind = BY_CODE.get(code)
    if kind is None:
        raise NotFoundError("There is no problem with this code.")
    text = f"{kind.code} ({kind.status.value})\n\n{kind.title}.\n\n{kind.meaning}\n"
    return Response(text, content_type="text/plain; charset=utf-8")
