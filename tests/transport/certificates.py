"""Certificates for tests, good and bad, made on the spot."""

import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)  # noqa: TID251  # TLS libraries read the real clock


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of our own; ``file`` is what its clients trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path


def make_authority(folder: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("Test authority", key, days=(-10, 10))
        .issuer_name(_name("Test authority"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "ca.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key, certificate, file)


def server_context(
    folder: Path,
    authority: Authority | None,
    *,
    host: str = "127.0.0.1",
    days: tuple[int, int] = (-5, 5),
    is_named: bool = True,
) -> ssl.SSLContext:
    """Return a server's context, valid for ``days`` around now; self-signed without authority.

    Without ``is_named`` the host is the subject's common name only, as it was long ago.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = "server" if is_named else host
    builder = _builder(subject, key, days=days)
    if is_named:
        names = x509.SubjectAlternativeName([_host(host)])
        builder = builder.add_extension(names, critical=False)
    issuer = authority.certificate.subject if authority else _name(subject)
    signer = authority.key if authority else key
    certificate = builder.issuer_name(issuer).sign(signer, hashes.SHA256())
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def only_tls_1_0(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a server speak the oldest TLS that libraries still know, and nothing newer."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def asking_for_a_certificate(
    context: ssl.SSLContext, authority: Authority, version: ssl.TLSVersion
) -> ssl.SSLContext:
    """Let a server demand that its clients have a certificate too."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    context.minimum_version = context.maximum_version = version
    return context


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, *, days: tuple[int, int]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
