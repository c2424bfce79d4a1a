"""Every operation answers, and what it answers is what the description promises."""

import pytest
from jsonschema import Draft202012Validator

from app.api import create_api
from app.api.openapi import openapi_document
from tests.api.operations import OPERATIONS
from tests.contexts import a_context

_CONTEXT = a_context()
DOCUMENT = openapi_document(create_api(_CONTEXT))
_CONTEXT.store.close()
DESCRIBED = {
    operation["operationId"]: operation
    for path in DOCUMENT["paths"].values()
    for operation in path.values()
}


def test_every_operation_is_called_by_these_tests():
    assert set(OPERATIONS) == set(DESCRIBED)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_answers_as_described(site, name):
    response = OPERATIONS[name](site)

    described = DESCRIBED[name]["responses"][str(response.status_code)]
    assert response.status_code < 300, response.json
    if "content" not in described:
        assert response.data == b""
        return
    [(content_type, content)] = described["content"].items()
    assert response.mimetype == content_type
    if content_type == "application/json":
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        Draft202012Validator(schema).validate(response.json)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_answer_has_the_keys_of_its_example(site, name):
    response = OPERATIONS[name](site)

    content = DESCRIBED[name]["responses"][str(response.status_code)].get("content")
    if content is None or name in {
        "getTriggerSchema",
        "listSamples",
        "getOpenapi",
        "getProblem",
        "getMetrics",
    }:
        return  # nothing, or keys of the customer's own
    answer, example = response.json, content["application/json"]["example"]
    assert set(answer) == set(example)
    if answer.get("data") and isinstance(answer["data"], list):
        assert set(answer["data"][0]) == set(example["data"][0])


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_parameter_that_does_not_exist_is_refused(site, name, monkeypatch):
    if not DESCRIBED[name]["security"]:
        return
    plain = site.call
    asked = []

    def with_parameter(method, path, body=None, **options):
        asked.append((method, path, body, options))
        return plain(method, path, body, **options)

    monkeypatch.setattr(site, "call", with_parameter)
    OPERATIONS[name](site)
    method, path, body, options = asked[-1]

    response = plain(method, f"{path}?sort=password", body, **options)

    assert response.status_code == 422
    assert [one["code"] for one in response.json["errors"]] == ["unknown_field"]
    assert [one["field"] for one in response.json["errors"]] == ["sort"]
