from datetime import UTC, datetime

import pytest

from relais_client import (
    Account,
    CustomField,
    Form,
    FormField,
    Key,
    NotFoundError,
    Overlay,
    Relais,
    Resource,
    UnexpectedAnswerError,
)

LUMIERE = {
    "id": "acc_1",
    "reference": "studio-lumiere",
    "name": "Studio Lumière",
    "language": "fr",
    "enabled": True,
    "catalogs": ["bookings"],
    "features": {"shop": False},
    "created_at": "2031-03-01T09:12:44.120Z",
    "updated_at": "2031-03-02T07:00:03Z",
    "a_later_addition": 1,
}


def test_an_account_is_created_with_what_was_given(fake, relais):
    fake.answers(201, LUMIERE)

    account = relais.create_account(
        "studio-lumiere", "Studio Lumière", language="fr", catalogs=("bookings",)
    )

    assert account == Account(
        id="acc_1",
        reference="studio-lumiere",
        name="Studio Lumière",
        language="fr",
        enabled=True,
        catalogs=("bookings",),
        features={"shop": False},
        created_at=datetime(2031, 3, 1, 9, 12, 44, 120_000, tzinfo=UTC),
        updated_at=datetime(2031, 3, 2, 7, 0, 3, tzinfo=UTC),
    )
    (request,) = fake.requests
    assert (request.method, request.path) == ("POST", "/api/v1/accounts")
    assert request.body == {
        "reference": "studio-lumiere",
        "name": "Studio Lumière",
        "language": "fr",
        "catalogs": ["bookings"],
    }


def test_an_update_sends_only_the_changes_even_if_they_are_empty(fake, relais):
    fake.answers(200, LUMIERE)

    relais.update_account("studio-lumiere", enabled=False, catalogs=())

    (request,) = fake.requests
    assert (request.method, request.path) == ("PATCH", "/api/v1/accounts/studio-lumiere")
    assert request.body == {"enabled": False, "catalogs": []}


def test_a_reference_is_one_segment_of_the_path(fake, relais):
    fake.answers(200, LUMIERE)

    relais.get_account("a/b?c d")

    assert fake.requests[0].path == "/api/v1/accounts/a%2Fb%3Fc%20d"


@pytest.mark.parametrize("reference", ["", ".", ".."])
def test_a_reference_that_names_another_path_is_refused(fake, relais, reference):
    with pytest.raises(ValueError, match="is not an id"):
        relais.get_account(reference)

    assert fake.requests == []


def test_a_list_goes_on_to_the_next_page_when_it_is_needed(fake, relais):
    fake.answers(200, {"data": [LUMIERE, LUMIERE | {"id": "acc_2"}], "next_cursor": "c2"})
    fake.answers(200, {"data": [LUMIERE | {"id": "acc_3"}], "next_cursor": None})

    accounts = relais.list_accounts()

    assert [next(accounts).id, next(accounts).id] == ["acc_1", "acc_2"]
    assert len(fake.requests) == 1
    assert [account.id for account in accounts] == ["acc_3"]
    assert [request.query for request in fake.requests] == [
        {"limit": ["100"]},
        {"limit": ["100"], "cursor": ["c2"]},
    ]


def test_an_empty_page_in_the_middle_does_not_end_a_list(fake, relais):
    fake.answers(200, {"data": [], "next_cursor": "c2"})
    fake.answers(200, {"data": [LUMIERE], "next_cursor": None})

    assert len(list(relais.list_accounts(reference="studio-lumiere"))) == 1
    assert fake.requests[1].query["reference"] == ["studio-lumiere"]


def test_an_overlay_is_put_as_a_whole(fake, relais):
    fake.answers(200, {})
    level = FormField(key="level", type="string", label="Niveau", choices=["débutant"])
    note = CustomField(
        subject="appointment", key="field_1_r", type="string", label="Remarque", personal=True
    )
    form = Form(id="12", name="Santé", subject="appointment", fields=[level], resource_id="51423")

    relais.put_overlay(
        "acc_1",
        Overlay(optional_fields={"appointment": ("mobile",)}, custom_fields=[note], forms=[form]),
    )

    (request,) = fake.requests
    assert (request.method, request.path) == ("PUT", "/api/v1/accounts/acc_1/overlay")
    assert request.body == {
        "optional_fields": {"appointment": ["mobile"]},
        "custom_fields": [
            {
                "subject": "appointment",
                "key": "field_1_r",
                "type": "string",
                "label": "Remarque",
                "personal": True,
            }
        ],
        "forms": [
            {
                "id": "12",
                "name": "Santé",
                "subject": "appointment",
                "fields": [
                    {"key": "level", "type": "string", "label": "Niveau", "choices": ["débutant"]}
                ],
                "resource_id": "51423",
            }
        ],
    }


def test_resources_of_a_kind_are_put_as_a_whole(fake, relais):
    fake.answers(204)
    yoga = Resource(id="51423", label="Yoga room", attributes={"capacity": True})

    relais.put_resources("acc_1", "schedule", [yoga, Resource(id="2", label="Pool")])

    (request,) = fake.requests
    assert (request.method, request.path) == ("PUT", "/api/v1/accounts/acc_1/resources/schedule")
    assert request.body == {
        "resources": [
            {"id": "51423", "label": "Yoga room", "attributes": {"capacity": True}},
            {"id": "2", "label": "Pool"},
        ]
    }


@pytest.mark.parametrize(
    ("account", "path"),
    [(None, "/api/v1/keys"), ("studio-lumiere", "/api/v1/accounts/studio-lumiere/keys")],
)
def test_keys_are_the_accounts_or_the_publishers(fake, relais, account, path):
    key = {"id": "key_1", "name": "n", "prefix": "p", "created_at": "2031-03-01T09:12:44Z"}
    fake.answers(201, key | {"key": "once"})
    fake.answers(200, {"data": [key | {"revoked_at": "2031-03-02T00:00:00Z"}]}).answers(204)

    created = relais.create_key("n", account=account)
    (listed,) = relais.list_keys(account=account)
    relais.revoke_key(created.id, account=account)

    assert created.key == "once"
    assert type(listed) is Key
    assert listed.revoked_at == datetime(2031, 3, 2, tzinfo=UTC)
    assert fake.requests[1].query == {}
    assert [(request.method, request.path) for request in fake.requests] == [
        ("POST", path),
        ("GET", path),
        ("DELETE", f"{path}/key_1"),
    ]


def test_a_time_without_an_offset_in_an_answer_is_unexpected(fake, relais):
    fake.answers(200, LUMIERE | {"created_at": "2031-03-01T09:12:44"})

    with pytest.raises(UnexpectedAnswerError, match="ValueError"):
        relais.get_account("acc_1")


def test_me_tells_whom_the_key_speaks_for(fake, relais):
    account = {k: LUMIERE[k] for k in ("id", "reference", "name", "language", "enabled")}
    answer = {
        "scope": "account",
        "key": {"id": "key_1", "name": "zapier", "prefix": "rk_acc"},
        "account": account | {"catalogs": []},
        "label": "Studio Lumière",
        "version": "0.1.0",
    }
    publisher = answer | {"scope": "publisher", "account": None}
    fake.answers(200, answer).answers(200, publisher)

    mine, publishers = relais.me(), relais.me()

    assert (mine.scope, mine.key_name, mine.version) == ("account", "zapier", "0.1.0")
    assert mine.account.reference == "studio-lumiere"
    assert mine.account.created_at is None
    assert publishers.account is None


def test_the_client_is_closed_at_the_end_of_its_block(fake, key):
    fake.refuses(404, "not_found")

    with Relais(f"{fake.base_url}/", key) as relais, pytest.raises(NotFoundError):
        relais.me()

    assert fake.requests[0].path == "/api/v1/me"
