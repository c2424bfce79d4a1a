"""Standard Webhooks v1: the vector of the specification, and an independent verifier."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.core.signing import headers, new_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # the specification's own
OTHER_SECRET = new_secret(bytes(range(32)))
BODY = b'{"test": 2432232314}'


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
def test_an_independent_verifier_accepts_every_signature(random_bytes, text):
    body = json.dumps(text, ensure_ascii=False).encode()
    secret = new_secret(random_bytes)
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251  # the verifier reads the clock
    signed = dict(headers([secret], message_id="dlv_1", timestamp=now, body=body))

    assert Webhook(secret).verify(body, signed) == text


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_while_a_secret_rotates_both_verify(secret):
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251  # the verifier reads the clock
    signed = dict(headers([OTHER_SECRET, SECRET], message_id="dlv_1", timestamp=now, body=BODY))

    assert Webhook(secret).verify(BODY, signed) == {"test": 2432232314}


def test_a_changed_body_does_not_verify():
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251  # the verifier reads the clock
    signed = dict(headers([SECRET], message_id="dlv_1", timestamp=now, body=BODY))

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", signed)


def test_a_new_secret_is_its_bytes_in_base64():
    secret = new_secret(b"\xff" * 24)

    assert secret.startswith("whsec_")
    assert base64.b64decode(secret.removeprefix("whsec_")) == b"\xff" * 24


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_secret_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        new_secret(bytes(size))


def test_a_message_id_with_a_dot_is_refused():
    with pytest.raises(ValueError, match="no dot"):
        sign(SECRET, message_id="dlv.1", timestamp=1, body=BODY)


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8I", "whsk_AAAA", "whsec_not base64!"])
def test_what_is_no_secret_is_refused_without_being_shown(secret):
    with pytest.raises(ValueError, match="a secret") as caught:
        sign(secret, message_id="dlv_1", timestamp=1, body=BODY)

    assert not secret or secret.removeprefix("whsec_") not in str(caught.value)
