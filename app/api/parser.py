"""webargs, made strict: our JSON reader, no unknown parameter, problems with codes."""

from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser

from app.api import language
from app.api.bodies import has_body, read_json, read_json_of_parts
from app.api.current import api
from app.api.schemas.fields import Coded, QueryValues
from app.api.schemas.wire import WireSchema
from app.core.errors import FieldProblem, InvalidRequestError
from app.core.jsontypes import Json


class StrictParser(FlaskParser):
    """Reads what `Section.arguments` declares."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - webargs' own name
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": ma.RAISE,
        "query": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Json:
        """Return the body; see `app.api.bodies`."""
        if isinstance(schema, WireSchema) and schema.optional and not has_body(req):
            return {}
        one, many = api().context.rules.max_payload_bytes, api().max_batch_bytes
        batch_of = schema.batch_of if isinstance(schema, WireSchema) else None
        if batch_of is None:
            return read_json(req, max_bytes=one)
        return read_json_of_parts(req, batch_of, max_bytes=many, max_part_bytes=one)

    def load_querystring(self, req: Request, schema: ma.Schema) -> dict[str, Json]:
        """Return the query parameters; one that is given twice is a list.

        ``language`` is understood everywhere, and read in `app.api.language`.
        """
        given = {name: values for name, values in req.args.lists() if name != language.PARAMETER}
        _refuse_nul(given)
        return {
            name: values
            if len(values) > 1 or isinstance(schema.fields.get(name), QueryValues)
            else values[0]
            for name, values in given.items()
        }

    def handle_error(
        self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_options: object
    ) -> NoReturn:
        """Raise what the schema found as an InvalidRequestError."""
        del req, schema
        assert isinstance(error.messages, dict)  # noqa: S101 - webargs: {location: messages}
        raise refusal_of(next(iter(error.messages.values()))) from error


def refusal_of(messages: Any) -> InvalidRequestError:
    """Return marshmallow's messages as a refusal that names each field."""
    problems = sorted(_problems(messages, ""), key=lambda one: one.field)
    return InvalidRequestError(_summary(problems), problems=tuple(problems))


def _refuse_nul(given: Mapping[str, list[str]]) -> None:
    # No store of ours keeps it, and some cannot even be asked about it.
    message = "The character U+0000 cannot be used here."
    problems = tuple(
        FieldProblem(field=name, code="invalid", message=message)
        for name, values in given.items()
        if any("\0" in value for value in values)
    )
    if problems:
        raise InvalidRequestError(message, problems=problems)


def _summary(problems: list[FieldProblem]) -> str:
    first = problems[0]
    return f"{first.field}: {first.message}" if first.field else first.message


def _problems(messages: Any, path: str) -> list[FieldProblem]:
    """Return marshmallow's nested messages as flat problems with dotted paths."""
    if isinstance(messages, Mapping):
        return [
            problem
            for key, inner in messages.items()
            for problem in _problems(inner, _at(path, key))
        ]
    return [
        FieldProblem(
            field=path,
            code=message.code if isinstance(message, Coded) else "invalid",
            message=str(message),
        )
        for message in messages
    ]


def _at(path: str, key: object) -> str:
    if key == ma.exceptions.SCHEMA:
        return path
    return f"{path}.{key}" if path else str(key)
