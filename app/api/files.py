"""Files that hold what a request's body would: read and refused in the same words."""

import json
from typing import Any

import marshmallow as ma

from app.api.account_inputs import overlay_answer, overlay_of, resource_of
from app.api.parser import refusal_of
from app.api.schemas.account_resources import ResourcesSchema
from app.api.schemas.accounts import OverlaySchema
from app.core import jsontext
from app.core.accounts import Overlay
from app.services.resources import NewResource


def overlay_from(text: bytes) -> Overlay:
    """Return the overlay that a file describes as PUT …/overlay does.

    Raises:
        MalformedJsonError, InvalidRequestError: As the API refuses such a body.
    """
    return overlay_of(_loaded(OverlaySchema(), text))


def overlay_text(overlay: Overlay) -> str:
    """Return an overlay as `overlay_from` reads it."""
    answer: Any = OverlaySchema().dump(overlay_answer(overlay))
    return json.dumps(answer, indent=2, ensure_ascii=False)


def resources_from(text: bytes) -> list[NewResource]:
    """Return the resources that a file describes as PUT …/resources/{kind} does.

    Raises:
        MalformedJsonError, InvalidRequestError: As the API refuses such a body.
    """
    body = _loaded(ResourcesSchema(), text)
    return [resource_of(one["id"], one) for one in body["resources"]]


def _loaded(schema: ma.Schema, text: bytes) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(jsontext.decode(text))
    except ma.ValidationError as refused:
        raise refusal_of(refused.messages) from refused
    return loaded
