"""Refusals: one table, one shape, nothing of our insides."""

import inspect
from dataclasses import replace

import pytest

from app.api import errors as table
from app.api.current import EXTENSION
from app.api.refusals import refuse
from app.core import errors
from app.core.errors import RelaisError
from tests.api.site import ROOT, codes_of, problem_of

REFUSALS = [
    one
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, RelaisError) and one is not RelaisError
]


def _with_store(site, store):
    """Put another store under the API; the site closes its own."""
    given = site.app.extensions[EXTENSION]
    context = replace(given.context, store=store)
    site.app.extensions[EXTENSION] = replace(given, context=context)
    return site


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda one: one.__name__)
def test_every_error_has_a_status_and_its_own_code(kind):
    assert table.KINDS[kind].code == kind.code
    assert 400 <= table.KINDS[kind].status < 600


def test_no_two_kinds_share_a_code():
    kinds = [*table.KINDS.values(), table.BAD_REQUEST, table.METHOD_NOT_ALLOWED, table.INTERNAL]

    assert len(table.BY_CODE) == len(kinds)


@pytest.mark.parametrize("code", sorted(table.BY_CODE))
def test_every_code_has_a_page(site, code):
    answer = site.client.get(f"/problems/{code}")

    assert answer.status_code == 200
    assert answer.text.startswith(code)
    assert answer.mimetype == "text/plain"


def test_an_unknown_problem_has_no_page(site):
    assert site.client.get("/problems/nonsense").status_code == 404


def test_a_problem_says_everything(site):
    answer = site.post("/subscriptions", {"trigger": "nope"})

    body = answer.json
    assert answer.status_code == body["status"] == 422
    assert answer.content_type == "application/problem+json"
    assert body["type"] == "/problems/invalid_request"
    assert body["code"] == "invalid_request"
    assert body["title"]
    assert body["detail"] == "target_url: This is required."
    assert body["errors"] == [
        {"field": "target_url", "code": "required", "message": "This is required."}
    ]
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_a_path_that_is_not_there_is_a_problem(site):
    for path in ("/api/v1/nothing", "/", "/api/v1/triggers/", "/api/v1//triggers"):
        answer = site.client.get(path)

        assert answer.status_code == 404, path
        assert problem_of(answer)["code"] == "not_found"


def test_a_method_that_is_not_there_is_a_problem_with_the_methods_that_are(site):
    answer = site.call("PUT", "/subscriptions/sub_1")

    assert answer.status_code == 405
    assert problem_of(answer)["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH"


def test_an_unexpected_failure_shows_nothing_and_is_logged(site, caplog):
    class Broken:
        def read(self):
            raise ZeroDivisionError("secret detail")

    answer = _with_store(site, Broken()).get("/me")

    assert answer.status_code == 500
    assert problem_of(answer)["code"] == "internal"
    assert "secret" not in answer.text
    assert "Zero" not in answer.text
    [record] = caplog.records
    assert record.message == "request.failed"
    assert record.request_id == answer.headers["X-Request-Id"]


def test_a_store_that_cannot_be_reached_is_a_reason_to_come_back(site):
    with site.app.test_request_context():
        answer = refuse(errors.UnavailableError("The database is locked."))

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_store_that_is_down_is_not_ready_but_alive(site):
    class Down:
        def problems(self, **_moment):
            message = "The database does not answer."
            return (errors.FieldProblem(field="store", code="unwritable", message=message),)

    _with_store(site, Down())

    assert site.client.get("/healthz").status_code == 200
    answer = site.client.get("/readyz")
    assert answer.status_code == 503
    assert problem_of(answer)["code"] == "unavailable"
    assert [one["code"] for one in answer.json["errors"]] == ["unwritable"]


@pytest.mark.parametrize(
    "extra", ["tenant_id", "account_id", "is_admin", "secret", "secret_enc", "status", "state"]
)
def test_fields_that_are_not_for_callers_are_refused(site, extra):  # A02
    subscription = site.subscribe()
    wish = {"trigger": "new_user", "target_url": "https://hooks.example.com/2", extra: "x"}
    account = {"reference": "r", "name": "n", extra: "x"}

    answers = [
        site.post("/subscriptions", wish),
        site.call("PATCH", f"/subscriptions/{subscription['id']}", {extra: "x"}),
        site.publish(**{extra: "x"}),
        site.post("/accounts", account, key=site.publisher),
        site.call("PATCH", "/accounts/salon-1", {extra: "x"}, key=site.publisher),
        site.post("/keys", {"name": "k", extra: "x"}, key=site.publisher),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert codes_of(answer)[extra] == "unknown_field"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=-1", "invalid"),
        ("limit=0", "invalid"),
        ("limit=1000000000", "invalid"),
        ("limit=1e3", "wrong_type"),
        ("limit=", "wrong_type"),
        ("limit=1_0", "wrong_type"),
        ("limit=%EF%BC%91", "wrong_type"),
        ("limit=" + "9" * 5_000, "wrong_type"),
        ("limit=1&limit=2", "wrong_type"),
        ("cursor=nonsense", "invalid_cursor"),
        ("cursor=%00", "invalid"),
        ("sort=password", "unknown_field"),
        ("state=banana", "unknown_choice"),
        ("language=xx", "unknown_choice"),
    ],
)
def test_parameters_are_checked(site, query, code):  # A06
    answer = site.get(f"/subscriptions?{query}")

    assert answer.status_code == 422
    assert codes_of(answer) == {query.partition("=")[0]: code}


@pytest.mark.parametrize("path", ["/events/..%2f", "/events/%00", "/events/a%2fb", "/events/%20"])
def test_odd_ids_are_not_found(site, path):
    assert site.get(path).status_code == 404


def test_a_cursor_of_another_list_is_refused(site):
    for number in range(2):
        site.subscribe(target_url=f"https://hooks.example.com/{number}")
    cursor = site.get("/subscriptions?limit=1").json["next_cursor"]

    for path in ("/events", "/deliveries", "/resources/schedule"):
        assert codes_of(site.get(f"{path}?cursor={cursor}")) == {"cursor": "invalid_cursor"}


def test_the_url_of_a_problem_does_not_depend_on_the_host(site):
    answer = site.client.get(f"{ROOT}/me", headers={"Host": "evil.example"})

    assert "evil" not in answer.text
