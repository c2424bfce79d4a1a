"""Signatures: the specifications' vectors, and verifiers that share no code with us."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook

from app.core.compatible_signatures import CompatibleSignature, compatible_headers
from app.core.signing import headers, request_headers, sign
from app.core.signing_secrets import OldSecret, SignatureScheme, new_secret, public_key_of
from tests.builders import NOW, a_subscription
from tests.core import ed25519_reference

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # the specification's own
GITHUBS_SECRET = "It's a Secret to Everybody"  # noqa: S105  # of its documentation's vector
OTHER_SECRET = new_secret(bytes(range(32)))
THIRD_SECRET = new_secret(bytes(range(32, 64)))
PRIVATE_KEY = new_secret(bytes(range(32)), SignatureScheme.ED25519)
BODY = b'{"test": 2432232314}'
SECOND = timedelta(seconds=1)
VERIFIERS = [Webhook, SvixWebhook]


def real_now():
    return datetime.now(UTC)  # noqa: TID251  # the verifiers read the clock


def signed_now(*secrets, body=BODY):
    at = int(real_now().timestamp())
    return dict(headers(secrets, message_id="dlv_1", timestamp=at, body=body))


def sent(subscription, *, body=BODY, now=NOW):
    return dict(request_headers(subscription, message_id="dlv_1", body=body, now=now))


def signatures(subscription, *, now=NOW):
    return sent(subscription, now=now)["webhook-signature"].split(" ")


def test_the_vector_of_the_specification():
    signature = sign(
        SECRET, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=BODY
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_headers_are_the_three_of_the_specification():
    names = [name for name, _ in headers([SECRET], message_id="dlv_1", timestamp=1, body=BODY)]

    assert names == ["webhook-id", "webhook-timestamp", "webhook-signature"]


@settings(derandomize=True, max_examples=50, deadline=None)
@given(random_bytes=st.binary(min_size=24, max_size=64), text=st.text(max_size=200))
def test_independent_verifiers_accept_every_signature(random_bytes, text):
    body = json.dumps(text, ensure_ascii=False).encode()
    secret = new_secret(random_bytes)
    signed = signed_now(secret, body=body)

    assert Webhook(secret).verify(body, signed) == text
    SvixWebhook(secret).verify(body, signed)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(body=st.binary(max_size=300), timestamp=st.integers(min_value=0, max_value=2**33))
def test_any_bytes_are_signed_as_they_are(body, timestamp):
    signature = sign(OTHER_SECRET, message_id="dlv_1", timestamp=timestamp, body=body)

    content = b"dlv_1." + str(timestamp).encode() + b"." + body
    expected = hmac.new(bytes(range(32)), content, "sha256").digest()
    assert signature == "v1," + base64.b64encode(expected).decode()


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_while_a_secret_rotates_both_verify(verifier, secret):
    verifier(secret).verify(BODY, signed_now(OTHER_SECRET, SECRET))


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_while_the_scheme_rotates_the_old_secret_verifies(verifier):
    verifier(SECRET).verify(BODY, signed_now(PRIVATE_KEY, SECRET))


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_a_changed_body_does_not_verify(verifier):
    with pytest.raises(WebhookVerificationError):
        verifier(SECRET).verify(BODY + b" ", signed_now(SECRET))


@settings(derandomize=True, max_examples=15, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), body=st.binary(max_size=100))
def test_an_independent_verifier_accepts_every_v1a_signature_and_no_other(seed, body):
    secret = new_secret(seed, SignatureScheme.ED25519)
    version, _, encoded = sign(secret, message_id="dlv_1", timestamp=7, body=body).partition(",")

    prefix, _, public = public_key_of(secret).partition("_")
    key, signature = base64.b64decode(public), base64.b64decode(encoded)
    assert (version, prefix) == ("v1a", "whpk")
    assert ed25519_reference.is_valid(key, b"dlv_1.7." + body, signature)
    assert not ed25519_reference.is_valid(key, b"dlv_1.8." + body, signature)


def test_old_secrets_sign_after_the_new_one_until_their_time_is_over():
    old = OldSecret(secret=OTHER_SECRET, signs_until=NOW + 2 * SECOND)
    older = OldSecret(secret=THIRD_SECRET, signs_until=NOW + SECOND)
    rotating = a_subscription(secret=SECRET, old_secrets=(old, older))

    def expected(*secrets, now):
        at = int(now.timestamp())
        return [sign(one, message_id="dlv_1", timestamp=at, body=BODY) for one in secrets]

    just_before, then = NOW + SECOND / 2, NOW + SECOND
    assert signatures(rotating, now=just_before) == expected(
        SECRET, OTHER_SECRET, THIRD_SECRET, now=just_before
    )
    assert signatures(rotating, now=then) == expected(SECRET, OTHER_SECRET, now=then)
    assert signatures(rotating, now=NOW + 2 * SECOND) == expected(SECRET, now=NOW + 2 * SECOND)


def test_the_headers_of_an_attempt_are_made_at_its_time():
    made = sent(a_subscription(secret=SECRET))

    assert made == dict(
        headers([SECRET], message_id="dlv_1", timestamp=int(NOW.timestamp()), body=BODY)
    )


def test_compatible_headers_are_those_of_their_schemes():
    made = dict(
        compatible_headers(CompatibleSignature, secret=GITHUBS_SECRET, body=b"Hello, World!")
    )

    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert made == {
        "x-hook-signature": digest,
        "x-frappe-webhook-signature": base64.b64encode(bytes.fromhex(digest)).decode(),
        "x-hub-signature-256": f"sha256={digest}",
    }


def test_compatible_headers_come_beside_the_standard_ones_with_the_newest_secret():
    old = OldSecret(secret=OTHER_SECRET, signs_until=NOW + SECOND)
    chosen = (CompatibleSignature.X_HUB_SIGNATURE_256,)
    made = sent(a_subscription(secret=SECRET, old_secrets=(old,), compatible_signatures=chosen))

    expected = hmac.new(SECRET.encode(), BODY, "sha256").hexdigest()
    assert list(made) == [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-hub-signature-256",
    ]
    assert made["x-hub-signature-256"] == f"sha256={expected}"


def test_a_message_id_with_a_dot_is_refused():
    with pytest.raises(ValueError, match="no dot"):
        sign(SECRET, message_id="dlv.1", timestamp=1, body=BODY)


@pytest.mark.parametrize(
    "secret",
    ["", "MfKQ9r8GKYqrTwjUPD8I", "whsk_AAAA", "whsec_not base64!", "whpk_" + PRIVATE_KEY[5:]],
)
def test_what_is_no_secret_is_refused_without_being_shown(secret):
    with pytest.raises(ValueError, match="a secret") as caught:
        sign(secret, message_id="dlv_1", timestamp=1, body=BODY)

    assert not secret or secret.partition("_")[2] not in str(caught.value) or "_" not in secret
