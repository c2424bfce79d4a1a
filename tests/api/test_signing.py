"""Signing over the API: rotation, schemes, handshake and test send, as a receiver sees them."""

from datetime import datetime, timedelta

import pytest

from relais_client.verify import VerificationError, verify
from tests.api.site import TARGET, codes_of, problem_of
from tests.contexts import an_answer

WISH = {"trigger": "changed_appointment", "target_url": TARGET}
HUB = "x-hub-signature-256"
ALL_COMPATIBLE = ["x-hook-signature", "x-frappe-webhook-signature", HUB]


def sent_next(site):
    """Publish, send, and return what arrived: the headers and the body."""
    site.publish()
    site.send_all()
    newest = site.get("/deliveries").json["data"][0]["id"]
    return arrived(site.get(f"/deliveries/{newest}").json["attempts"][0]["request"])


def arrived(request):
    return {one["name"]: one["value"] for one in request["headers"]}, request["body"].encode()


def is_verified(site, secret, request):
    headers, body = request
    try:
        verify(secret, headers, body, now=site.context.clock.now())
    except VerificationError:
        return False
    return True


def rotate(site, made, body=None):
    return site.post(f"/subscriptions/{made['id']}/secret", body)


def test_a_rotated_secret_and_the_one_before_both_verify_for_a_day(site):
    made = site.subscribe()

    rotated = rotate(site, made).json

    until = rotated["old_secret_signs_until"]
    assert until == "2026-03-02T12:00:00.000Z"
    during = sent_next(site)
    assert is_verified(site, rotated["secret"], during)
    assert is_verified(site, made["secret"], during)
    site.context.clock.advance(timedelta(days=1))
    after = sent_next(site)
    assert is_verified(site, rotated["secret"], after)
    assert not is_verified(site, made["secret"], after)


def test_a_secret_that_leaked_is_void_at_once(site):
    made = site.subscribe()
    second = rotate(site, made).json

    rotated = rotate(site, made, {"overlap_seconds": 0}).json

    request = sent_next(site)
    assert rotated["old_secret_signs_until"] is None
    assert is_verified(site, rotated["secret"], request)
    assert not is_verified(site, second["secret"], request)
    assert not is_verified(site, made["secret"], request)


def test_a_fourth_old_secret_is_refused_with_the_time_to_wait_for(site):
    made = site.subscribe()
    for _ in range(3):
        assert rotate(site, made).status_code == 200

    answer = rotate(site, made)

    assert answer.status_code == 409
    assert "2026-03-02T12:00:00.000Z" in problem_of(answer)["detail"]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({"overlap_seconds": -1}, {"overlap_seconds": "invalid"}),
        ({"overlap_seconds": 604_801}, {"overlap_seconds": "invalid"}),
        ({"overlap_seconds": "60"}, {"overlap_seconds": "wrong_type"}),
        ({"signature": "md5"}, {"signature": "unknown_choice"}),
        ({"secret": "whsec_mine"}, {"secret": "unknown_field"}),
    ],
)
def test_a_rotation_is_checked(site, body, codes):
    answer = rotate(site, site.subscribe(), body)

    assert answer.status_code == 422
    assert codes_of(answer) == codes


def test_a_body_may_be_left_out_but_not_broken(site):
    path = f"/subscriptions/{site.subscribe()['id']}/secret"

    assert site.post(path).status_code == 200
    assert site.post(path, {}).status_code == 200
    assert site.post(path, data="{", content_type="application/json").status_code == 400
    assert site.post(path, data="a=1", content_type="text/plain").status_code == 415


def test_with_ed25519_only_the_public_key_is_ever_shown(site):
    made = site.subscribe(signature="ed25519")
    shown = site.get(f"/subscriptions/{made['id']}").json
    moved = site.call(
        "PATCH", f"/subscriptions/{made['id']}", {"target_url": "https://elsewhere.example.com/1"}
    ).json

    assert (made["signature"], made["secret"]) == ("ed25519", None)
    assert made["public_key"].startswith("whpk_")
    assert shown["public_key"] == made["public_key"]
    assert "secret" not in moved
    assert moved["public_key"] not in {None, made["public_key"]}
    with site.context.store.read() as tx:
        private = tx.subscription(made["id"]).secret
    assert private.startswith("whsk_")
    for answer in (made, shown, moved):
        assert private not in str(answer)
        assert "whsk_" not in str(answer)


def test_ed25519_deliveries_are_verified_with_the_public_key(site):
    made = site.subscribe(signature="ed25519")

    request = sent_next(site)

    assert request[0]["webhook-signature"].startswith("v1a,")
    assert is_verified(site, made["public_key"], request)
    other = site.subscribe(signature="ed25519", target_url=f"{TARGET}/2")
    assert not is_verified(site, other["public_key"], request)


def test_the_scheme_changes_with_an_overlap(site):
    made = site.subscribe()

    rotated = rotate(site, made, {"signature": "ed25519"}).json

    request = sent_next(site)
    assert rotated["secret"] is None
    assert is_verified(site, rotated["public_key"], request)
    assert is_verified(site, made["secret"], request)


def test_compatible_headers_are_sent_as_chosen_and_can_be_changed(site):
    made = site.subscribe(compatible_signatures=[*ALL_COMPATIBLE, HUB][:3])
    headers, _ = sent_next(site)
    changed = site.call(
        "PATCH", f"/subscriptions/{made['id']}", {"compatible_signatures": [HUB]}
    ).json
    fewer, _ = sent_next(site)
    renamed = site.call("PATCH", f"/subscriptions/{made['id']}", {"name": "Same"}).json

    assert made["compatible_signatures"] == ALL_COMPATIBLE
    assert set(ALL_COMPATIBLE) <= set(headers)
    assert changed["compatible_signatures"] == renamed["compatible_signatures"] == [HUB]
    assert set(ALL_COMPATIBLE) & set(fewer) == {HUB}


@pytest.mark.parametrize(
    ("wish", "codes"),
    [
        ({"signature": "rsa"}, {"signature": "unknown_choice"}),
        ({"signature": None}, {"signature": "wrong_type"}),
        ({"compatible_signatures": ["x-mine"]}, {"compatible_signatures.0": "unknown_choice"}),
        ({"compatible_signatures": HUB}, {"compatible_signatures": "wrong_type"}),
        (
            {"compatible_signatures": [HUB], "signature": "ed25519"},
            {"compatible_signatures": "needs_shared_secret"},
        ),
        ({"handshake": "yes"}, {"handshake": "wrong_type"}),
        ({"handshake": True, "platform": "zapier"}, {"handshake": "not_supported"}),
    ],
)
def test_what_cannot_be_signed_like_that_is_refused(site, wish, codes):
    answer = site.post("/subscriptions", WISH | wish)

    assert answer.status_code == 422
    assert codes_of(answer) == codes


def test_a_subscription_waits_for_its_target_and_is_listed_meanwhile(site):
    made = site.pending()

    assert (made["state"], made["state_reason"]) == ("pending", "awaits_confirmation")
    assert made["confirm_until"] == "2026-03-01T12:10:00.000Z"
    assert [one["id"] for one in site.get("/subscriptions?state=pending").json["data"]] == [
        made["id"]
    ]
    assert site.publish().json["deliveries"] == 0
    assert site.post(f"/subscriptions/{made['id']}/resume").status_code == 409
    assert site.post(f"/subscriptions/{made['id']}/test").status_code == 409


def test_why_nothing_came_is_explained_while_it_waits(site):
    site.pending()
    event = site.publish().json["id"]

    [explanation] = site.get(f"/events/{event}/explanations?language=fr").json["data"]

    assert explanation["reason"] == "unconfirmed"
    assert "confirmation" in explanation["text"]


def test_it_is_confirmed_with_what_the_target_was_sent(site):
    made = site.pending()

    refused = site.confirm(made, secret="guess")  # noqa: S106 - a wrong one
    confirmed = site.confirm(made)

    assert codes_of(refused) == {"secret": "wrong_secret"}
    assert (confirmed.status_code, confirmed.json["state"]) == (200, "active")
    assert confirmed.json["confirm_until"] is None
    assert site.confirm(made).status_code == 409
    assert site.publish().json["deliveries"] == 1


def test_a_test_send_shows_what_went_out_and_what_came_back(site):
    made = site.subscribe()
    body = b"\xff" + b"x" * 100
    site.context.caller.answer = lambda _request: an_answer(
        503, response_headers=(("Retry-After", "7"),), response_body=body, truncated=True
    )

    shown = site.post(f"/subscriptions/{made['id']}/test").json

    assert (shown["outcome"], shown["status_code"], shown["duration_ms"]) == (
        "http_status",
        503,
        12,
    )
    assert shown["response"] == {
        "headers": [{"name": "Retry-After", "value": "7"}],
        "body": body.decode(errors="replace"),
        "truncated": True,
    }
    headers, sent = arrived(shown["request"])
    [sample] = site.get("/triggers/changed_appointment/samples").json
    assert site.context.caller.requests[-1].body == sent
    assert is_verified(site, made["secret"], (headers, sent))
    assert shown["id"] == headers["webhook-id"]
    assert sample["id"] in sent.decode()


def test_too_many_test_sends_are_told_when_to_come_back(site):
    path = f"/subscriptions/{site.subscribe()['id']}/test"
    for _ in range(10):
        assert site.post(path).status_code == 200

    answer = site.post(path)

    assert (answer.status_code, problem_of(answer)["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "6"
    site.context.clock.advance(timedelta(seconds=6))
    assert site.post(path).status_code == 200


def test_the_end_of_an_overlap_is_a_moment(site):
    rotated = rotate(site, site.subscribe(), {"overlap_seconds": 604_800}).json

    until = datetime.fromisoformat(rotated["old_secret_signs_until"])
    assert until == site.context.clock.now() + timedelta(days=7)
