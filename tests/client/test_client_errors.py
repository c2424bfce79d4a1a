import logging
import pickle
import traceback

import pytest

from relais_client import (
    FieldProblem,
    NotFoundError,
    RefusedError,
    Relais,
    Retries,
    UnauthenticatedError,
    UnexpectedAnswerError,
    UnreachableError,
)

ONCE = Retries(attempts=1)


def publish(relais):
    return relais.publish("studio-lumiere", "appointment.create", {"price": "much"})


def test_a_refusal_names_the_fields_that_are_wrong(fake, relais):
    error = {"field": "data.price", "code": "wrong_type", "message": "should be an integer"}
    fake.refuses(422, "invalid_request", errors=[error])

    with pytest.raises(RefusedError) as caught:
        publish(relais)

    refusal = caught.value
    assert (refusal.status, refusal.code) == (422, "invalid_request")
    assert refusal.detail == "It is invalid_request."
    assert refusal.errors == (
        FieldProblem(field="data.price", code="wrong_type", message="should be an integer"),
    )
    assert refusal.problem.request_id == "req_7"
    assert str(refusal) == (
        "invalid_request (422): It is invalid_request.; data.price: should be an integer"
        " [request req_7]"
    )


@pytest.mark.parametrize(
    ("status", "kind"), [(401, UnauthenticatedError), (404, NotFoundError), (499, RefusedError)]
)
def test_a_refusal_is_of_the_kind_of_its_status(fake, relais, status, kind):
    fake.refuses(status, "some_code")

    with pytest.raises(RefusedError) as caught:
        relais.get_account("nobody")

    assert type(caught.value) is kind


@pytest.mark.parametrize("body", [b"<html>Bad Request</html>", b"", b"[]", b'{"code": 1}', b"\xff"])
def test_a_refusal_that_relais_did_not_write_keeps_its_status(fake, relais, body):
    fake.answers_bytes(400, body)

    with pytest.raises(RefusedError) as caught:
        publish(relais)

    assert (caught.value.status, caught.value.code) == (400, "http_400")
    assert str(caught.value) == "http_400 (400): Bad Request"


@pytest.mark.parametrize(
    "body", [b"<html>Welcome to the hotel</html>", b"", b"[]", b"{}", b'{"id": "evt_1"}', b"null"]
)
def test_a_success_that_is_not_in_the_contract_is_unexpected(fake, relais, body):
    fake.answers_bytes(200, body)

    with pytest.raises(UnexpectedAnswerError, match="cannot be read") as caught:
        publish(relais)

    assert caught.value.__cause__ is None


def test_a_redirect_is_not_followed(fake, relais):
    fake.answers(302, None, Location=f"{fake.base_url}/elsewhere")

    with pytest.raises(UnexpectedAnswerError, match="status 302; check the base URL"):
        relais.me()

    assert len(fake.requests) == 1


def test_errors_survive_pickling(fake, relais):
    fake.refuses(401, "unauthenticated")

    with pytest.raises(UnauthenticatedError) as caught:
        relais.me()
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes

    assert type(copy) is UnauthenticatedError
    assert copy.problem == caught.value.problem


def test_the_key_shows_in_no_repr(relais, fake, key):
    assert repr(relais) == f"Relais('{fake.base_url}')"
    assert key not in repr(vars(relais))
    assert key not in repr(vars(relais._connection))
    assert key not in repr(vars(relais._connection._exchanger))


def test_a_created_key_shows_in_no_repr(fake, relais):
    created = {
        "id": "key_1",
        "name": "zapier",
        "prefix": "rk_acc",
        "created_at": "2031-03-01T09:12:44Z",
    }
    fake.answers(201, created | {"key": "rk_acc_secret_part"})

    answer = relais.create_key("zapier")

    assert answer.key == "rk_acc_secret_part"
    assert "secret_part" not in repr(answer)


def everything_in(error):
    """Return an exception's text, its traceback's and, deeply, its attributes'."""
    texts = ["".join(traceback.format_exception(error)), repr(error), str(error)]
    for linked in (error.__cause__, error.__context__):
        assert linked is None or "request" not in vars(linked), "holds the request's headers"
    return "\n".join([*texts, repr(vars(error)), repr(error.args)])


def test_the_key_is_in_no_exception_and_no_log(fake, connect, free_url, caplog, key):
    here, nowhere = (connect(url, retries=ONCE) for url in (fake.base_url, free_url))
    fake.refuses(401, "unauthenticated").drops().answers_bytes(200, b"<html>").answers(302)
    errors = []

    with caplog.at_level(logging.DEBUG):
        for relais in (here, here, here, here, nowhere):
            with pytest.raises((RefusedError, UnreachableError, UnexpectedAnswerError)) as caught:
                relais.me()
            errors.append(caught.value)

    assert len({type(error) for error in errors}) == 3
    assert all(key not in everything_in(error) for error in errors)
    assert caplog.text
    assert key not in caplog.text


@pytest.mark.parametrize("key", ["", "rk pub", "rk\nX-Evil: 1", "rk_é", " rk", "rk\x7f"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key):
    with pytest.raises(ValueError, match="key: not an API key") as caught:
        Relais("http://127.0.0.1:1", key)

    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    ["", "127.0.0.1:8585", "ftp://h", "http://", "http://u:p@h", "http://h/?a=1", "http://h/#a"],
)
def test_a_base_url_that_cannot_be_one_is_refused(base_url):
    with pytest.raises(ValueError, match="base_url"):
        Relais(base_url, "rk")


def test_a_netrc_file_does_not_replace_the_key(fake, connect, key, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    fake.refuses(401, "unauthenticated")

    with pytest.raises(UnauthenticatedError):
        connect(fake.base_url).me()

    assert fake.requests[0].headers["Authorization"] == f"Bearer {key}"
