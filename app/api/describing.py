"""What every operation's description says without being told: keys, refusals, names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apispec import APISpec

from app.api.auth import ACCOUNT_HEADER, Access
from app.api.errors import CONTENT_TYPE, INTERNAL, KINDS, Kind, problem_body
from app.core import errors
from app.core.errors import RelaisError
from app.core.fields import LANGUAGES
from app.core.jsontypes import Json

_KEYS: Final[list[Json]] = [{"bearer": []}, {"apiKey": []}]
_ACCOUNT_PARAMETER: Final = {
    "name": ACCOUNT_HEADER,
    "in": "header",
    "description": "With a publisher key: the account to act for, by id or reference.",
    "schema": {"type": "string"},
}
_LANGUAGE_PARAMETERS: Final = [
    {
        "name": "language",
        "in": "query",
        "description": "The language of labels and explanations; goes before Accept-Language.",
        "schema": {"type": "string", "enum": list(LANGUAGES)},
    },
    {
        "name": "Accept-Language",
        "in": "header",
        "description": "The language of labels and explanations.",
        "schema": {"type": "string"},
        "example": "fr",
    },
]
_EVERYWHERE: Final = (errors.InvalidRequestError, errors.UnavailableError)
_WITH_KEY: Final = (errors.UnauthenticatedError, errors.ForbiddenError)
_WITH_BODY: Final = (
    errors.MalformedJsonError,
    errors.BodyTooLargeError,
    errors.UnsupportedMediaTypeError,
)
_PATH_PARAMETERS: Final[Mapping[str, str]] = {
    "account": "The account, by its id (`acc_…`) or your reference.",
    "code": "The `code` of a problem.",
    "delivery_id": "The delivery (`dlv_…`).",
    "event_id": "The event (`evt_…`).",
    "key_id": "The key (`key_…`), not the key itself.",
    "kind": "The kind of resource: `schedule`, `mailing_list`, …; see a trigger's `resource_kind`.",
    "replay_id": "The replay (`rpl_…`).",
    "resource_id": "Your own id of the resource.",
    "subscription_id": "The subscription (`sub_…`).",
    "trigger": "The trigger's key: `changed_appointment`.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What `Section.access` knows about an operation."""

    name: str
    access: Access
    refuses: tuple[type[RelaisError], ...]
    localised: bool
    has_body: bool


def describe_operation(
    doc: dict[str, Any], doc_info: Mapping[str, Any], *, spec: APISpec, **_options: object
) -> dict[str, Any]:
    """Complete one operation; flask-smorest calls this for each."""
    described: Described = doc_info["described"]
    doc["operationId"] = _camel_case(described.name)
    doc["security"] = [] if described.access is Access.EVERYBODY else _KEYS
    parameters = doc.setdefault("parameters", [])
    if described.access in (Access.ACCOUNT, Access.ANY_KEY):
        parameters.append(_ACCOUNT_PARAMETER)
    if described.localised:
        parameters.extend(_LANGUAGE_PARAMETERS)
    doc.setdefault("responses", {}).update(_refusals(described, spec))
    return doc


def path_parameter(name: str) -> dict[str, Json]:
    """Return the description of a parameter in a path."""
    return {"in": "path", "name": name, "required": True, "description": _PATH_PARAMETERS[name]}


def _refusals(described: Described, spec: APISpec) -> dict[int, str]:
    by_status: dict[int, list[Kind]] = {}
    for kind in _kinds(described):
        by_status.setdefault(kind.status.value, []).append(kind)
    return {status: _component(kinds, spec) for status, kinds in sorted(by_status.items())}


def _component(kinds: list[Kind], spec: APISpec) -> str:
    """Return the name of the answer with one of these problems; many operations share it."""
    name = "_or_".join(kind.code for kind in kinds)
    if name not in spec.components.responses:
        spec.components.response(name, _refusal(kinds))
    return name


def _kinds(described: Described) -> Iterable[Kind]:
    if described.access is Access.EVERYBODY:
        listed = described.refuses
    else:
        body = _WITH_BODY if described.has_body else ()
        listed = (*_EVERYWHERE, *_WITH_KEY, *body, *described.refuses)
    return (*dict.fromkeys(KINDS[one] for one in listed), INTERNAL)


def _refusal(kinds: list[Kind]) -> dict[str, Json]:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": [kind.code for kind in kinds]}}},
        ]
    }
    examples = {
        kind.code: {
            "summary": kind.title,
            "value": problem_body(kind, kind.meaning, request_id="req_06d3k7q2v8r4x9m1z5c0t7w2ha"),
        }
        for kind in kinds
    }
    refusal: dict[str, Json] = {
        "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds) + ".",
        "content": {CONTENT_TYPE: {"schema": schema, "examples": examples}},
    }
    if kinds[0] in (KINDS[errors.RateLimitedError], KINDS[errors.UnavailableError]):
        refusal["headers"] = {
            "Retry-After": {
                "description": "Seconds until it is worth another try.",
                "schema": {"type": "integer"},
            }
        }
    return refusal


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
