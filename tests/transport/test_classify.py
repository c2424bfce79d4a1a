"""libcurl's errors as our stable outcome kinds."""

import errno

import pycurl
import pytest

from app.core.deliveries import OutcomeKind
from app.transport.classify import Failure, classify

CASES = [
    ({"code": pycurl.E_COULDNT_RESOLVE_HOST}, OutcomeKind.INTERNAL),
    ({"code": pycurl.E_OPERATION_TIMEDOUT}, OutcomeKind.CONNECT_TIMEOUT),
    ({"code": pycurl.E_OPERATION_TIMEDOUT, "connected": True}, OutcomeKind.READ_TIMEOUT),
    (
        {"code": pycurl.E_COULDNT_CONNECT, "os_errno": errno.ECONNREFUSED},
        OutcomeKind.CONNECT_REFUSED,
    ),
    (
        {"code": pycurl.E_COULDNT_CONNECT, "os_errno": errno.ETIMEDOUT},
        OutcomeKind.CONNECT_TIMEOUT,
    ),
    (
        {"code": pycurl.E_COULDNT_CONNECT, "os_errno": errno.EHOSTUNREACH},
        OutcomeKind.CONNECT_FAILED,
    ),
    ({"code": pycurl.E_COULDNT_CONNECT, "os_errno": errno.ECONNRESET}, OutcomeKind.RESET),
    ({"code": pycurl.E_COULDNT_CONNECT, "refused": True}, OutcomeKind.BLOCKED_ADDRESS),
    ({"code": pycurl.E_OPERATION_TIMEDOUT, "refused": True}, OutcomeKind.BLOCKED_ADDRESS),
    (
        {"code": pycurl.E_GOT_NOTHING, "refused": True, "connected": True},
        OutcomeKind.RESET,
    ),
    ({"code": pycurl.E_ABORTED_BY_CALLBACK, "named_the_old_way": True}, OutcomeKind.TLS_HOSTNAME),
    ({"code": pycurl.E_COULDNT_CONNECT, "faulty": True}, OutcomeKind.INTERNAL),
    ({"code": pycurl.E_PEER_FAILED_VERIFICATION, "verify_result": 10}, OutcomeKind.TLS_EXPIRED),
    ({"code": pycurl.E_PEER_FAILED_VERIFICATION, "verify_result": 20}, OutcomeKind.TLS_UNTRUSTED),
    ({"code": pycurl.E_SSL_CACERT_BADFILE}, OutcomeKind.INTERNAL),
    ({"code": pycurl.E_UNSUPPORTED_PROTOCOL}, OutcomeKind.INTERNAL),
    ({"code": pycurl.E_UNSUPPORTED_PROTOCOL, "connected": True}, OutcomeKind.BAD_RESPONSE),
    ({"code": pycurl.E_RECV_ERROR, "connected": True}, OutcomeKind.RESET),
    (
        {"code": pycurl.E_RECV_ERROR, "connected": True, "answered": True},
        OutcomeKind.BAD_RESPONSE,
    ),
    (
        {
            "code": pycurl.E_RECV_ERROR,
            "connected": True,
            "answered": True,
            "os_errno": errno.ECONNRESET,
        },
        OutcomeKind.RESET,
    ),
    ({"code": 12345, "connected": True}, OutcomeKind.BAD_RESPONSE),
    ({"code": 12345}, OutcomeKind.INTERNAL),
]


@pytest.mark.parametrize(("failure", "kind"), CASES, ids=[str(failure) for failure, _ in CASES])
def test_a_failure_has_its_kind(failure, kind):
    assert classify(Failure(**failure)) is kind
