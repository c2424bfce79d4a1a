"""The API's own description, in OpenAPI 3.1, made from what the views declare."""

import json
import re
from typing import Any, Final

from flask import Flask
from flask_smorest import Api

from app import __version__
from app.api.auth import ACCOUNT_HEADER, KEY_HEADER
from app.api.describing import path_parameter
from app.api.schemas.problems import ProblemSchema
from app.core.jsontypes import Json

_SPEC: Final = "relais-openapi"
_DESCRIPTION: Final = f"""\
Relais delivers the events of a product to the automations of its customers: one catalog of \
triggers, subscriptions with filters, samples from the serializer that makes deliveries.

**Keys.** Send an API key as `Authorization: Bearer …` or `{KEY_HEADER}: …`. *Account keys* \
speak for one account: its triggers, samples, resources, subscriptions, events and \
deliveries. *Publisher keys* are the vendor's: accounts, keys, and publishing events. A \
publisher key may act for one account with the header `{ACCOUNT_HEADER}`.

**Bodies** are strict JSON in UTF-8. Fields and query parameters that do not exist are \
refused. Numbers are delivered digit by digit.

**Errors** are `application/problem+json` with a stable `code`; `errors` says what is wrong \
with which field.

**Lists** come by page: send `next_cursor` as `cursor` until it is null.

**Times** are ISO 8601; answers have them in UTC with `Z`.

**Languages.** Labels and explanations come in English, French or Japanese, by \
`Accept-Language` or `?language=`. Values on the wire never change with the language.
"""


class RelaisApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's Api, with our errors and without its documentation pages."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Leave errors to `app.api.refusals`."""

    def _register_pagination_header(self) -> None:
        """Lists are paged in their bodies, by `app.api.paging`."""


def create_smorest(app: Flask) -> RelaisApi:
    """Return the flask-smorest extension of an application."""
    app.config.update(
        API_TITLE="Relais",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={"info": {"description": _DESCRIPTION, "license": {"name": "MIT"}}},
    )
    made = RelaisApi(app)
    schemes = made.spec.components
    schemes.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    schemes.security_scheme("apiKey", {"type": "apiKey", "in": "header", "name": KEY_HEADER})
    app.extensions[_SPEC] = made.spec
    return made


def openapi_document(app: Flask) -> dict[str, Json]:
    """Return the OpenAPI document: plain JSON types, always in the same order."""
    made = _plain(app.extensions[_SPEC].to_dict())
    components: dict[str, dict[str, Json]] = made["components"]
    document = {
        "openapi": made["openapi"],
        "info": made["info"],
        "tags": made["tags"],
        "paths": {path: _tidy_path(item) for path, item in sorted(made["paths"].items())},
        "components": {
            kind: dict(sorted(parts.items())) for kind, parts in sorted(components.items())
        },
    }
    return _plain(document)


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy in which no two places share a value: YAML would point at it."""
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


def _tidy_path(item: dict[str, Any]) -> dict[str, Any]:
    shared = item.get("parameters", [])
    return {
        method: _tidy(operation, shared)
        for method, operation in item.items()
        if method != "parameters"
    }


def _tidy(operation: dict[str, Any], shared: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an operation with everything in its place."""
    in_path = [{**one, **path_parameter(one["name"])} for one in shared]
    parameters = [*in_path, *map(_tidy_parameter, operation.get("parameters", []))]
    tidied = {
        "tags": operation["tags"],
        "operationId": operation["operationId"],
        "summary": _unwrapped(operation["summary"]).rstrip("."),
        "description": _unwrapped(operation.get("description", operation["summary"])),
        "parameters": parameters,
        "requestBody": operation.get("requestBody"),
        "responses": dict(sorted(operation["responses"].items())),
        "security": operation["security"],
    }
    needed = ("description", "security", "responses")
    return {key: value for key, value in tidied.items() if value or key in needed}


def _tidy_parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter that is simply left out where marshmallow says that it is null."""
    schema = dict(parameter["schema"])
    if isinstance(schema.get("type"), list):
        schema["type"] = schema["type"][0]
    return {**parameter, "schema": {key: one for key, one in schema.items() if one is not None}}


def _unwrapped(docstring: str) -> str:
    """Return a docstring's text with one line for each paragraph."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", docstring)
