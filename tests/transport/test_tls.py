"""TLS: whom the sender trusts, and what it says where it does not."""

import ssl

import pytest

from app.core.deliveries import OutcomeKind
from tests import receiver as receivers
from tests.receiver import Receiver, banner
from tests.transport.certificates import (
    asking_for_a_certificate,
    make_authority,
    only_tls_1_0,
    server_context,
)
from tests.transport.sending import make_sender, send


def test_r12_a_tls_handshake_that_stalls_is_a_connect_timeout(sender, receiver):
    receiver.misbehave_at_once(receivers.hang)
    url = receiver.url.replace("http:", "https:")

    outcome = send(sender, url, connect_timeout_s=0.3)

    assert outcome.kind is OutcomeKind.CONNECT_TIMEOUT
    assert outcome.duration_ms < 800


def test_r13_plain_http_on_a_tls_port_is_no_tls(sender, receiver):
    receiver.misbehave_at_once(banner(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    outcome = send(sender, receiver.url.replace("http:", "https:"))

    assert outcome.kind is OutcomeKind.NOT_TLS


@pytest.mark.parametrize(
    ("certificate", "is_signed", "kind"),
    [
        ({}, True, OutcomeKind.SUCCEEDED),
        ({"days": (-5, -1)}, True, OutcomeKind.TLS_EXPIRED),
        ({"days": (1, 5)}, True, OutcomeKind.TLS_NOT_YET_VALID),
        ({"host": "other.example.com"}, True, OutcomeKind.TLS_HOSTNAME),
        ({"is_named": False}, True, OutcomeKind.TLS_HOSTNAME),
        ({}, False, OutcomeKind.TLS_SELF_SIGNED),
    ],
    ids=["good", "expired", "future", "wrong host", "no alternative name", "self-signed"],
)
def test_r13_certificates_are_verified(tmp_path, certificate, is_signed, kind):
    authority = make_authority(tmp_path)
    context = server_context(tmp_path, authority if is_signed else None, **certificate)
    sender = make_sender(ca_file=str(authority.file))

    with Receiver(tls=context) as receiver:
        outcome = send(sender, receiver.url)

    sender.close()
    assert outcome.kind is kind
    assert len(receiver.requests) == (1 if kind is OutcomeKind.SUCCEEDED else 0)


def test_r13_an_unknown_authority_is_untrusted(tmp_path, sender):
    context = server_context(tmp_path, make_authority(tmp_path))

    with Receiver(tls=context) as receiver:
        assert send(sender, receiver.url).kind is OutcomeKind.TLS_UNTRUSTED


def test_r13_tls_1_0_is_too_old(tmp_path):
    authority = make_authority(tmp_path)
    sender = make_sender(ca_file=str(authority.file))

    with Receiver(tls=only_tls_1_0(server_context(tmp_path, authority))) as receiver:
        outcome = send(sender, receiver.url)

    sender.close()
    assert outcome.kind is OutcomeKind.TLS_PROTOCOL


@pytest.mark.parametrize(
    ("version", "kinds"),
    [
        (ssl.TLSVersion.TLSv1_2, {OutcomeKind.TLS_FAILED}),
        # TLS 1.3 refuses a client after its handshake, and may break off as it likes.
        (ssl.TLSVersion.TLSv1_3, {OutcomeKind.TLS_CLIENT_CERT_REQUIRED, OutcomeKind.RESET}),
    ],
    ids=str,
)
def test_r13_we_have_no_certificate_of_our_own(tmp_path, version, kinds):
    authority = make_authority(tmp_path)
    context = asking_for_a_certificate(server_context(tmp_path, authority), authority, version)
    sender = make_sender(ca_file=str(authority.file))

    with Receiver(tls=context) as receiver:
        outcome = send(sender, receiver.url)

    sender.close()
    assert outcome.kind in kinds
    assert receiver.requests == []


def test_a_kept_connection_to_a_good_certificate_is_used_again(tmp_path):
    authority = make_authority(tmp_path)
    sender = make_sender(ca_file=str(authority.file))

    with Receiver(tls=server_context(tmp_path, authority)) as receiver:
        assert all(send(sender, receiver.url).is_success for _ in range(3))

    sender.close()
    assert receiver.connection_count == 1
