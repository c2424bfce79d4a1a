import base64
import hmac
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from app.core import signing, signing_secrets
from relais_client.verify import VerificationError, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the published test vector
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 by.").decode()
NOW = datetime(2031, 3, 4, 18, 0, tzinfo=UTC)
BODY = '{"event":"create","full_name":"Inès"}'
BODY_BYTES = BODY.encode()
ID = "dlv_01"
ROOT = Path(__file__).parents[2]


def signed(*, secret=SECRET, body=BODY, at=NOW, **changes):
    """Return headers that the independent library signed."""
    headers = {
        "Webhook-Id": ID,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(ID, at, body),
        "Content-Type": "application/json",
    }
    return headers | {name.replace("_", "-").title(): value for name, value in changes.items()}


def check(headers, *, secret=SECRET, body=BODY_BYTES, now=NOW, **options):
    verify(secret, headers, body, now=now, **options)


def test_a_signed_request_is_verified():
    check(signed())


def test_the_published_test_vector_is_verified():
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    verify(SECRET, headers, b'{"test": 2432232314}', now=datetime.fromtimestamp(1614265330, UTC))


def test_the_real_clock_is_used_where_no_time_is_given():
    just_now = datetime.now(UTC)  # noqa: TID251 - the library under test reads the clock too

    verify(SECRET, signed(at=just_now), BODY_BYTES)
    with pytest.raises(VerificationError, match="too new"):
        verify(SECRET, signed(), BODY_BYTES)


def test_one_of_several_signatures_is_enough():
    good = signed()["Webhook-Signature"]
    other = signed(secret=OTHER)["Webhook-Signature"]

    check(signed(webhook_signature=f"v1a,AAAA {other} {good}"))


def test_a_body_of_any_bytes_can_be_verified():
    body = b"\xff\x00 not text"
    content = f"{ID}.{int(NOW.timestamp())}.".encode() + body
    digest = hmac.digest(base64.b64decode(SECRET.removeprefix("whsec_")), content, "sha256")

    check(signed(webhook_signature="v1," + base64.b64encode(digest).decode()), body=body)


def test_a_secret_without_its_prefix_or_padding_is_the_same_secret():
    unpadded = base64.b64encode(b"a secret with 25 bytes...").decode()
    headers = signed(secret=f"whsec_{unpadded}")

    check(headers, secret=unpadded)
    check(headers, secret=unpadded.rstrip("="))


@pytest.mark.parametrize("body", [b"", BODY_BYTES + b" ", BODY_BYTES.upper()])
def test_a_changed_body_is_refused(body):
    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed(), body=body)


@pytest.mark.parametrize(
    "changes",
    [{"webhook_id": "dlv_02"}, {"webhook_timestamp": str(int(NOW.timestamp()) + 1)}],
)
def test_a_changed_id_or_time_is_refused(changes):
    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed(**changes))


def test_another_secret_is_refused():
    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed(), secret=OTHER)


GOOD = signed()["Webhook-Signature"]


@pytest.mark.parametrize(
    "signature",
    [
        "v1,",
        "v1",
        ",",
        " ",
        GOOD[:-4],
        GOOD[:12],
        GOOD + "AAAA",
        "v1," + base64.b64encode(base64.b64decode(GOOD[3:])[:31]).decode(),
        "v1," + base64.b64encode(base64.b64decode(GOOD[3:]) + b"\0").decode(),
        GOOD.replace("v1,", "v1a,"),
        GOOD.replace("v1,", "v2,"),
        GOOD.replace("v1,", ""),
        "v1," + base64.b64decode(GOOD[3:]).hex(),
        GOOD[:10] + "é" + GOOD[11:],
        GOOD[:10] + "\n" + GOOD[10:],
    ],
)
def test_a_shortened_or_foreign_signature_is_refused(signature):
    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed(webhook_signature=signature))


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_or_empty_header_is_named(header):
    headers = {name.lower(): value for name, value in signed().items()}

    for wrong in ({k: v for k, v in headers.items() if k != header}, headers | {header: ""}):
        with pytest.raises(VerificationError, match=f"{header}: missing"):
            check(wrong)


def test_a_header_that_comes_twice_is_refused():
    headers = signed() | {"webhook-id": "dlv_02"}

    with pytest.raises(VerificationError, match="webhook-id: more than once"):
        check(headers)


def test_other_headers_may_come_twice():
    class Headers:
        def items(self):
            return [*signed().items(), ("Via", "a"), ("via", "b")]

    check(Headers())


@pytest.mark.parametrize("seconds", [-300, 300])
def test_the_edge_of_the_tolerance_is_inside(seconds):
    check(signed(), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "tolerance_s", "complaint"),
    [(301, 300, "too old"), (-301, 300, "too new"), (11, 10, "too old")],
)
def test_a_signature_from_another_time_is_refused(seconds, tolerance_s, complaint):
    with pytest.raises(VerificationError, match=complaint):
        check(signed(), now=NOW + timedelta(seconds=seconds), tolerance_s=tolerance_s)


@pytest.mark.parametrize(
    "timestamp", ["soon", "-1", "1.5", "1e9", " 1930413600", "१९", "9" * 13, "9" * 5000]
)
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(timestamp):
    with pytest.raises(VerificationError, match="not a number of seconds"):
        check(signed(webhook_timestamp=timestamp))


def test_the_signed_parts_cannot_be_shifted():
    body = "1930413600.{}"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    seconds = str(int(NOW.timestamp()))
    digest = hmac.digest(key, f"{ID}.{seconds}.{body}".encode(), "sha256")
    shifted = {
        "webhook-id": f"{ID}.{seconds}",
        "webhook-timestamp": "1930413600",
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }

    with pytest.raises(VerificationError, match="webhook-id: malformed"):
        check(shifted, body=b"{}")


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_***",
        "not base64!",
        "whsec_é",
        "nonsense",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_a_secret_that_is_none_is_a_mistake_of_the_receiver(secret):
    with pytest.raises(ValueError, match=re.escape("secret: not a signing secret")):
        check(signed(), secret=secret)


def test_a_naive_now_is_a_mistake_of_the_receiver():
    with pytest.raises(ValueError, match="now: use an aware datetime"):
        check(signed(), now=NOW.replace(tzinfo=None))


PRIVATE = signing_secrets.new_secret(bytes(32), signing_secrets.SignatureScheme.ED25519)
PUBLIC = signing_secrets.public_key_of(PRIVATE)


def signed_with_key(*secrets, body=BODY_BYTES):
    return dict(signing.headers(secrets, message_id=ID, timestamp=int(NOW.timestamp()), body=body))


def test_a_request_signed_with_a_private_key_is_verified_with_the_public_one():
    check(signed_with_key(PRIVATE), secret=PUBLIC)
    check(signed_with_key(PRIVATE), secret=PUBLIC.rstrip("="))
    check(signed_with_key(PRIVATE, SECRET), secret=PUBLIC)
    check(signed_with_key(SECRET, PRIVATE, body=b"\xff"), secret=PUBLIC, body=b"\xff")


@pytest.mark.parametrize("body", [b"", BODY_BYTES + b" "])
def test_another_body_than_was_signed_with_the_key_is_refused(body):
    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed_with_key(PRIVATE), secret=PUBLIC, body=body)


def test_a_key_takes_no_signature_of_the_other_scheme():
    signature = signed_with_key(PRIVATE)["webhook-signature"]
    as_v1 = signature.replace("v1a,", "v1,")

    for wrong in (signed_with_key(SECRET), signed(webhook_signature=as_v1)):
        with pytest.raises(VerificationError, match="no signature fits"):
            check(wrong, secret=PUBLIC)
    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed_with_key(PRIVATE))


@pytest.mark.parametrize("cut", [-4, -40, 4])
def test_a_shortened_signature_of_a_key_is_refused(cut):
    signature = signed_with_key(PRIVATE)["webhook-signature"][:cut]

    with pytest.raises(VerificationError, match="no signature fits"):
        check(signed(webhook_signature=signature), secret=PUBLIC)


@pytest.mark.parametrize(
    "key", ["whpk_", "whpk_***", PUBLIC[:-8], PUBLIC + "AAAA", "whpk_" + SECRET]
)
def test_a_key_that_is_none_is_a_mistake_of_the_receiver(key):
    with pytest.raises(ValueError, match=re.escape("secret: not a public key")):
        check(signed_with_key(PRIVATE), secret=key)


def test_a_shared_secret_needs_no_other_library():
    code = (
        "import sys; from relais_client.verify import verify; "
        "assert 'cryptography' not in sys.modules, 'imported'"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)  # noqa: S603 - ours
