"""What secrets look like, and that Ed25519 is Ed25519."""

import base64

import pytest

from app.core import ed25519
from app.core.signing_secrets import (
    OldSecret,
    SignatureScheme,
    new_secret,
    public_key_of,
    scheme_of,
    shared_secret_of,
)
from tests.builders import NOW
from tests.core import ed25519_reference

SEED = bytes(range(32))
# RFC 8032, section 7.1: seed, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39"
            "701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f36"
            "13d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc(seed, public, message, signature):
    parts = [bytes.fromhex(one) for one in (seed, public, message, signature)]

    assert ed25519.public_key(parts[0]) == parts[1]
    assert ed25519.sign(parts[0], parts[2]) == parts[3]
    assert ed25519_reference.is_valid(*parts[1:])


def test_a_shared_secret_is_its_bytes_in_base64():
    secret = new_secret(b"\xff" * 24)

    assert secret.startswith("whsec_")
    assert base64.b64decode(secret.removeprefix("whsec_")) == b"\xff" * 24
    assert scheme_of(secret) is SignatureScheme.HMAC_SHA256
    assert (shared_secret_of(secret), public_key_of(secret)) == (secret, None)


def test_a_private_key_stays_and_its_public_half_verifies():
    secret = new_secret(SEED, SignatureScheme.ED25519)

    assert secret.startswith("whsk_")
    assert scheme_of(secret) is SignatureScheme.ED25519
    assert shared_secret_of(secret) is None
    public = public_key_of(secret).removeprefix("whpk_")
    assert base64.b64decode(public) == ed25519.public_key(SEED)


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_shared_secret_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        new_secret(bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_private_key_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="32 bytes"):
        new_secret(bytes(size), SignatureScheme.ED25519)


def test_printing_an_old_secret_does_not_show_it():
    assert "whsec" not in repr(OldSecret(secret=new_secret(SEED), signs_until=NOW))
