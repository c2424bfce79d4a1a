"""A program for `unshare -n -m`: the sender against a real name server, all alone.

Serves names on 127.0.0.53, calls each one twice at a receiver on 127.0.0.1, and prints
each name's outcome kinds and the number of connections that came in, as JSON.
"""

import ctypes
import fcntl
import itertools
import json
import socket
import struct
import sys
import tempfile
import threading
from datetime import UTC, datetime
from ipaddress import IPv4Network

from app.transport.answers import KEPT_S
from app.transport.sender import CurlSender
from tests.receiver import Receiver
from tests.transport.test_sender import send

NAME_SERVER = "127.0.0.53"
A, CNAME, AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN = 2, 3
GOOD, BAD = "127.0.0.2", "127.0.0.1"  # BAD is where the receiver listens

_SIOCSIFFLAGS, _IFF_UP, _MS_BIND = 0x8914, 0x1, 0x1000
_ASKED_NAME = b"\xc0\x0c"  # a pointer to the question's
_INNER_NAME = b"\5inner\4test\0"

_flips = itertools.cycle([GOOD, BAD])
_appearing = itertools.chain([NXDOMAIN] * 2, itertools.repeat(BAD))  # A and AAAA are asked

Record = tuple[bytes, int, bytes]  # owner, type, data


def answer(name: str, kind: int) -> list[Record] | int:
    """Return the records of ``name``, or an error's number."""
    if name == "appears.test":
        found = next(_appearing)
        return found if isinstance(found, int) else a_records(kind, found)
    if name == "flips.test":
        return a_records(kind, next(_flips)) if kind == A else []
    if name == "cname.test":
        return [(_ASKED_NAME, CNAME, _INNER_NAME), *a_records(kind, BAD, owner=_INNER_NAME)]
    if name == "mixed6.test" and kind == AAAA:
        return [(_ASKED_NAME, AAAA, socket.inet_pton(socket.AF_INET6, "::1"))]
    fixed = {
        "private.test": [BAD],
        "mixed.test": [GOOD, BAD],
        "mixed6.test": [GOOD],
        "good.test": [GOOD],
    }
    if name in fixed:
        return a_records(kind, *fixed[name])
    return SERVFAIL if name == "servfail.test" else NXDOMAIN


def a_records(kind: int, *addresses: str, owner: bytes = _ASKED_NAME) -> list[Record]:
    return [(owner, A, socket.inet_aton(address)) for address in addresses] if kind == A else []


def reply(query: bytes) -> bytes:
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    [kind] = struct.unpack("!H", query[at + 1 : at + 3])
    found = answer(".".join(labels), kind)
    error, records = (found, []) if isinstance(found, int) else (0, found)
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | error, 1, len(records), 0, 0)
    rows = (
        owner + struct.pack("!HHIH", kind, 1, 0, len(data)) + data for owner, kind, data in records
    )
    return head + query[12 : at + 5] + b"".join(rows)


def serve(sock: socket.socket) -> None:
    while True:
        query, client = sock.recvfrom(4096)
        sock.sendto(reply(query), client)


def use_only_our_name_server() -> None:
    with socket.socket() as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")
        file.flush()
        if libc.mount(file.name.encode(), b"/etc/resolv.conf", None, _MS_BIND, None):
            raise OSError(ctypes.get_errno(), "cannot mount a resolv.conf")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((NAME_SERVER, 53))
    threading.Thread(target=serve, args=(sock,), daemon=True).start()


def main(hosts: list[str]) -> None:
    use_only_our_name_server()
    now = [0.0]
    sender = CurlSender(
        user_agent="Relais/9",
        clock=lambda: datetime(2026, 11, 22, tzinfo=UTC),
        allowed_networks=[IPv4Network(f"{GOOD}/32")],
        monotonic=lambda: now[0],
    )
    outcomes = {}
    with Receiver() as receiver:
        for host in hosts:
            url = f"http://{host}:{receiver.port}/"
            outcomes[host] = []
            for _ in range(2):
                outcomes[host].append(send(sender, url).kind)
                now[0] += KEPT_S
        print(json.dumps([receiver.connection_count, outcomes]))  # noqa: T201  # its result
    sender.close()


if __name__ == "__main__":
    main(sys.argv[1:])
