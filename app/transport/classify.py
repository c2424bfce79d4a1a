"""What a failed transfer came to: libcurl's error as one of our stable outcome kinds.

Name look-ups end before libcurl begins; see `app.transport.answers`.

The codes are documented at libcurl-errors; which ones hostile receivers provoke was
measured with the receivers of tests/receiver.py.
"""

import errno
from dataclasses import dataclass

import pycurl

from app.core.deliveries import OutcomeKind

# X509_V_ERR_… of OpenSSL. libcurl compares host names itself, once the chain is found
# good and before it notes that: a wrong name comes with "unspecified" (1), or with 0.
_CERTIFICATE_PROBLEMS = {
    0: OutcomeKind.TLS_HOSTNAME,
    1: OutcomeKind.TLS_HOSTNAME,
    9: OutcomeKind.TLS_NOT_YET_VALID,
    10: OutcomeKind.TLS_EXPIRED,
    18: OutcomeKind.TLS_SELF_SIGNED,
    62: OutcomeKind.TLS_HOSTNAME,
}
_CONNECT_PROBLEMS = {
    errno.ECONNREFUSED: OutcomeKind.CONNECT_REFUSED,
    errno.ETIMEDOUT: OutcomeKind.CONNECT_TIMEOUT,
    errno.ECONNRESET: OutcomeKind.RESET,
}
# What OpenSSL says of a handshake that failed, in the words of libcurl's message.
_HANDSHAKE_PROBLEMS = {
    "wrong version number": OutcomeKind.NOT_TLS,
    "packet length too long": OutcomeKind.NOT_TLS,
    "http request": OutcomeKind.NOT_TLS,
    "unsupported protocol": OutcomeKind.TLS_PROTOCOL,
    "protocol version": OutcomeKind.TLS_PROTOCOL,
    "certificate required": OutcomeKind.TLS_CLIENT_CERT_REQUIRED,
}
_HANDSHAKE_CODES = {pycurl.E_SSL_CONNECT_ERROR, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR}
_BY_CODE = {
    pycurl.E_COULDNT_RESOLVE_HOST: OutcomeKind.INTERNAL,  # it has nothing to resolve
    pycurl.E_GOT_NOTHING: OutcomeKind.RESET,
    pycurl.E_SEND_ERROR: OutcomeKind.RESET,
    pycurl.E_RECV_ERROR: OutcomeKind.RESET,
    pycurl.E_SSL_CONNECT_ERROR: OutcomeKind.TLS_FAILED,
    pycurl.E_SSL_CERTPROBLEM: OutcomeKind.TLS_FAILED,
    pycurl.E_SSL_CIPHER: OutcomeKind.TLS_FAILED,
    pycurl.E_SSL_SHUTDOWN_FAILED: OutcomeKind.TLS_FAILED,
    pycurl.E_SSL_ISSUER_ERROR: OutcomeKind.TLS_FAILED,
    pycurl.E_URL_MALFORMAT: OutcomeKind.INTERNAL,
    pycurl.E_OUT_OF_MEMORY: OutcomeKind.INTERNAL,
    pycurl.E_FAILED_INIT: OutcomeKind.INTERNAL,
    pycurl.E_BAD_FUNCTION_ARGUMENT: OutcomeKind.INTERNAL,
    pycurl.E_INTERFACE_FAILED: OutcomeKind.INTERNAL,
    pycurl.E_SSL_CACERT_BADFILE: OutcomeKind.INTERNAL,
    pycurl.E_SSL_ENGINE_INITFAILED: OutcomeKind.INTERNAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A transfer that ended before the answer's headers were in.

    Attributes:
        code: libcurl's error code.
        refused: The guard refused an address.
        faulty: The guard could not open a socket, for a reason of ours.
        named_the_old_way: The guard refused a certificate without a subject alternative
            name.
        connected: TCP and TLS were set up; the request was on its way.
        answered: A part of the answer's headers is in.
        os_errno: The last error of the operating system; 0 where it was none of those.
        verify_result: OpenSSL's verdict on the certificate chain.
        message: libcurl's words, which alone tell failed handshakes apart.
    """

    code: int
    refused: bool = False
    faulty: bool = False
    named_the_old_way: bool = False
    connected: bool = False
    answered: bool = False
    os_errno: int = 0
    verify_result: int = 0
    message: str = ""


def classify(failure: Failure) -> OutcomeKind:
    """Return the kind of outcome; an answer that is no HTTP is ``BAD_RESPONSE``."""
    if failure.faulty:
        return OutcomeKind.INTERNAL
    if failure.refused and not failure.connected:
        return OutcomeKind.BLOCKED_ADDRESS
    if failure.named_the_old_way:
        return OutcomeKind.TLS_HOSTNAME
    unknown = OutcomeKind.BAD_RESPONSE if failure.connected else OutcomeKind.INTERNAL
    return _with_details(failure) or _BY_CODE.get(failure.code, unknown)


def _handshake_problem(failure: Failure) -> OutcomeKind | None:
    """Return what OpenSSL complains about, None for what it words in another way."""
    message = failure.message.lower()
    return next((kind for words, kind in _HANDSHAKE_PROBLEMS.items() if words in message), None)


def _with_details(failure: Failure) -> OutcomeKind | None:
    """Return the kind for the codes that mean several things, None for the others."""
    if failure.code in _HANDSHAKE_CODES and not failure.answered:
        return _handshake_problem(failure)
    if failure.code == pycurl.E_OPERATION_TIMEDOUT:
        return OutcomeKind.READ_TIMEOUT if failure.connected else OutcomeKind.CONNECT_TIMEOUT
    if failure.code == pycurl.E_COULDNT_CONNECT:
        return _CONNECT_PROBLEMS.get(failure.os_errno, OutcomeKind.CONNECT_FAILED)
    if failure.code == pycurl.E_RECV_ERROR and failure.answered and not failure.os_errno:
        return OutcomeKind.BAD_RESPONSE  # libcurl's code for headers without end, too
    if failure.code == pycurl.E_PEER_FAILED_VERIFICATION:
        return _CERTIFICATE_PROBLEMS.get(failure.verify_result, OutcomeKind.TLS_UNTRUSTED)
    return None
