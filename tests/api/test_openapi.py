"""The description itself: valid, complete, the same everywhere."""

import re

import pytest
from openapi_spec_validator import validate

from app.api import create_api
from app.api.errors import BY_CODE
from app.api.openapi import openapi_document
from app.api.schemas.wire import WireSchema
from tests.api.test_operations import DESCRIBED, DOCUMENT
from tests.contexts import a_context


def _schemas(base=WireSchema):
    for schema in base.__subclasses__():
        yield schema
        yield from _schemas(schema)


def test_it_is_valid_openapi_3_1():
    validate(DOCUMENT)

    assert DOCUMENT["openapi"] == "3.1.0"


def test_it_is_the_same_every_time_and_names_no_host():
    context = a_context()

    again = openapi_document(create_api(context, public_url="https://relais.example.com"))

    context.store.close()
    assert again == DOCUMENT
    assert list(again["paths"]) == list(DOCUMENT["paths"])
    assert "servers" not in again
    assert "relais.example.com" not in str(again)


def test_every_route_is_described(site):
    rules = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in site.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD"}
    }

    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}

    assert rules == described


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_an_operation_says_everything_a_reader_needs(name):
    operation = DESCRIBED[name]

    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert operation["description"]
    assert operation["tags"]
    assert all(one["description"] for one in operation.get("parameters", []))
    body = operation.get("requestBody")
    assert body is None or "example" in body["content"]["application/json"]
    for status, response in operation["responses"].items():
        if status.startswith("2") and status != "204":
            [content] = response["content"].values()
            assert "example" in content, (status, name)
            assert "schema" in content


def test_every_refusal_lists_its_codes():
    used = set()
    for response in DOCUMENT["components"]["responses"].values():
        content = response["content"]["application/problem+json"]
        listed = content["schema"]["allOf"][1]["properties"]["code"]["enum"]
        assert set(listed) == set(content["examples"])
        used |= set(listed)

    assert used == set(BY_CODE) - {"bad_request", "method_not_allowed"}


def test_operations_ask_for_a_key_except_the_public_ones():
    public = {name for name, operation in DESCRIBED.items() if operation["security"] == []}

    assert public == {"getHealth", "getReadiness", "getMetrics", "getOpenapi", "getProblem"}
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"bearer", "apiKey"}


def test_tags_are_explained():
    used = {tag for operation in DESCRIBED.values() for tag in operation["tags"]}

    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    assert all(tag["description"] for tag in DOCUMENT["tags"])


@pytest.mark.parametrize(
    "schema",
    [one for one in _schemas() if re.match("New|.*Change|Overlay|Preview|.*Batch", one.__name__)],
    ids=lambda one: one.__name__,
)
def test_the_examples_of_bodies_are_accepted(schema):
    if schema.__name__.startswith("Published"):
        return

    assert schema().load(schema.example)


def test_what_is_served_is_the_document(site):
    assert site.get("/openapi.json").json == DOCUMENT
