from datetime import UTC, datetime

import pytest

from relais_client import (
    NewSubscription,
    RefusedError,
    RotatedSecret,
    SentTest,
    Subscription,
    UnreachableError,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the published test vector
MADE = {
    "id": "sub_1",
    "name": "Yoga",
    "triggers": ["changed_appointment"],
    "trigger": "changed_appointment",
    "target_url": "https://hooks.example.com/1",
    "resource_ids": ["7"],
    "filters": None,
    "platform": "generic",
    "state": "pending",
    "state_reason": "awaits_confirmation",
    "confirm_until": "2031-03-01T09:22:44Z",
    "signature": "hmac-sha256",
    "public_key": None,
    "compatible_signatures": ["x-hub-signature-256"],
    "created_at": "2031-03-01T09:12:44Z",
    "updated_at": "2031-03-01T09:12:44Z",
    "a_later_addition": 1,
}
AT = datetime(2031, 3, 1, 9, 12, 44, tzinfo=UTC)
WANTED = NewSubscription(triggers=["changed_appointment"], target_url="https://hooks.example.com/1")
OLD_UNTIL = "2031-03-02T09:12:44Z"
ROTATED = {"signature": "hmac-sha256", "secret": SECRET, "public_key": None}


def last(fake):
    request = fake.requests[-1]
    return request.method, request.path.removeprefix("/api/v1"), request.body


def test_a_new_subscription_has_its_secret_and_hides_it(fake, relais):
    fake.answers(201, MADE | {"secret": SECRET})

    made = relais.subscribe(WANTED, account="studio-lumiere")

    assert made == Subscription(
        id="sub_1",
        name="Yoga",
        triggers=("changed_appointment",),
        target_url="https://hooks.example.com/1",
        resource_ids=("7",),
        filters=None,
        platform="generic",
        state="pending",
        state_reason="awaits_confirmation",
        confirm_until=AT.replace(minute=22),
        signature="hmac-sha256",
        public_key=None,
        compatible_signatures=("x-hub-signature-256",),
        created_at=AT,
        updated_at=AT,
        secret=SECRET,
    )
    assert SECRET not in repr(made)
    assert last(fake) == (
        "POST",
        "/subscriptions",
        {"triggers": ["changed_appointment"], "target_url": "https://hooks.example.com/1"},
    )
    assert fake.requests[-1].headers["Relais-Account"] == "studio-lumiere"


def test_what_is_wanted_is_sent(fake, relais):
    fake.answers(200, MADE)
    wanted = NewSubscription(
        triggers=("a", "b"),
        target_url="https://x.example.com/",
        name="N",
        resource_ids=("7",),
        filters={"event": ["destroy"]},
        platform="n8n",
        signature="ed25519",
        compatible_signatures=("x-hook-signature",),
        handshake=True,
    )

    assert relais.subscribe(wanted).secret is None

    assert last(fake)[2] == {
        "triggers": ["a", "b"],
        "target_url": "https://x.example.com/",
        "name": "N",
        "resource_ids": ["7"],
        "filters": {"event": ["destroy"]},
        "platform": "n8n",
        "signature": "ed25519",
        "compatible_signatures": ["x-hook-signature"],
        "handshake": True,
    }
    assert "Relais-Account" not in fake.requests[-1].headers


def test_a_secret_is_rotated_as_asked(fake, relais):
    fake.answers(200, ROTATED | {"old_secret_signs_until": OLD_UNTIL})

    rotated = relais.rotate_secret("sub_1", overlap_seconds=86_400, account="acc_1")

    assert rotated == RotatedSecret(
        signature="hmac-sha256",
        secret=SECRET,
        public_key=None,
        old_secret_signs_until=AT.replace(day=2),
    )
    assert SECRET not in repr(rotated)
    assert last(fake) == ("POST", "/subscriptions/sub_1/secret", {"overlap_seconds": 86_400})


def test_an_overlap_of_zero_is_sent(fake, relais):
    fake.answers(200, ROTATED | {"old_secret_signs_until": None})

    relais.rotate_secret("sub_1", overlap_seconds=0, signature="ed25519")

    assert last(fake)[2] == {"overlap_seconds": 0, "signature": "ed25519"}


def test_a_subscription_is_read_confirmed_and_ended(fake, relais):
    fake.answers(200, MADE).answers(200, MADE | {"state": "active"}).answers(204)

    assert relais.get_subscription("sub_1").state == "pending"
    assert relais.confirm_subscription("sub_1", "abc").state == "active"
    assert last(fake) == ("POST", "/subscriptions/sub_1/confirmation", {"secret": "abc"})
    relais.unsubscribe("sub_1", account="acc_1")
    assert last(fake) == ("DELETE", "/subscriptions/sub_1", None)
    assert fake.requests[-1].headers["Relais-Account"] == "acc_1"


def test_lists_are_read_page_by_page_for_the_same_account(fake, relais):
    fake.answers(200, {"data": [MADE], "next_cursor": "c2"})
    fake.answers(200, {"data": [MADE | {"id": "sub_2"}], "next_cursor": None})

    found = list(relais.list_subscriptions(account="acc_1", state="pending"))

    assert [one.id for one in found] == ["sub_1", "sub_2"]
    assert [one.query for one in fake.requests] == [
        {"state": ["pending"]},
        {"state": ["pending"], "cursor": ["c2"]},
    ]
    assert {one.headers["Relais-Account"] for one in fake.requests} == {"acc_1"}


def test_a_test_send_is_shown_whole(fake, relais):
    shown = {
        "id": "tst_1",
        "outcome": "http_status",
        "status_code": 503,
        "duration_ms": 12,
        "request": {"method": "POST", "url": "https://x", "headers": [], "body": "{}"},
        "response": {"headers": [], "body": "busy", "truncated": False},
    }
    fake.answers(200, shown)

    assert relais.test_subscription("sub_1") == SentTest(**shown)
    assert last(fake) == ("POST", "/subscriptions/sub_1/test", None)


@pytest.mark.parametrize(
    "call",
    [
        lambda relais: relais.subscribe(WANTED),
        lambda relais: relais.rotate_secret("sub_1"),
        lambda relais: relais.test_subscription("sub_1"),
        lambda relais: relais.confirm_subscription("sub_1", "abc"),
    ],
    ids=["subscribe", "rotate", "test", "confirm"],
)
def test_what_must_not_happen_twice_is_not_tried_again(fake, relais, call):
    fake.drops()

    with pytest.raises(UnreachableError):
        call(relais)

    assert len(fake.requests) == 1


def test_a_refusal_says_why(fake, relais):
    fake.refuses(409, "conflict")

    with pytest.raises(RefusedError) as refused:
        relais.rotate_secret("sub_1")

    assert refused.value.problem.code == "conflict"


def test_a_reference_that_fits_into_no_header_is_refused_before_anything_is_sent(fake, relais):
    for account in ("studio-lumière", "a\r\nX: 1"):
        with pytest.raises(ValueError, match="use the id"):
            relais.get_subscription("sub_1", account=account)

    assert fake.requests == []
