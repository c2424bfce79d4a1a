"""A program for a network of its own: the sender against a real name server.

No address is opened for it: the loopback interface gets a public address, where a
receiver listens, and the internal one listens at the same port of 127.0.0.1. Calls each
name 200 times, with a look-up for each time (one for all where it is slow). Prints, as
JSON, how many connections came in to the internal receiver, how often each kind of
outcome came of each name, and the longest attempt of all in milliseconds.
"""

import ctypes
import fcntl
import itertools
import json
import socket
import struct
import sys
import tempfile
from collections import Counter

from app.core.deliveries import Outcome
from app.transport.answers import KEPT_S
from app.transport.sender import CurlSender
from tests.receiver import Receiver
from tests.transport import name_server
from tests.transport.sending import a_request, collect, make_sender, send

ATTEMPTS = 200
NAME_SERVER = "127.0.0.53"
PUBLIC, INTERNAL = "93.184.216.34", "127.0.0.1"
AT_ONCE = frozenset({"late.test", "crowd.test"})  # look-ups take too long to have 200 of them

_SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP, _MS_BIND = 0x8914, 0x8916, 0x1, 0x1000


def use_only_our_name_server() -> None:
    public = struct.pack("16sH2s4s8s", b"lo:0", socket.AF_INET, b"", socket.inet_aton(PUBLIC), b"")
    with socket.socket() as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
        fcntl.ioctl(sock, _SIOCSIFADDR, public)
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"nameserver {NAME_SERVER}\noptions timeout:30 attempts:1\n")
        file.flush()
        if libc.mount(file.name.encode(), b"/etc/resolv.conf", None, _MS_BIND, None):
            raise OSError(ctypes.get_errno(), "cannot mount a resolv.conf")
    name_server.serve(name_server.Zone(PUBLIC, INTERNAL), NAME_SERVER)


def one_by_one(sender: CurlSender, now: list[float], url: str) -> list[Outcome]:
    outcomes = []
    for _ in range(ATTEMPTS):
        outcomes.append(send(sender, url))
        now[0] += KEPT_S
    return outcomes


def at_once(sender: CurlSender, url: str) -> list[Outcome]:
    limits = {"total_timeout_s": 15.0, "connect_timeout_s": 5.0}
    for number in range(ATTEMPTS):
        sender.submit(a_request(url, token=str(number), **limits))
    return [outcome for _, outcome in collect(sender, ATTEMPTS)]


def main(hosts: list[str]) -> None:
    use_only_our_name_server()
    now = [0.0]
    sender = make_sender(allowed_networks=(), monotonic=lambda: now[0])
    outcomes: dict[str, list[Outcome]] = {}
    with Receiver(host=INTERNAL) as internal, Receiver(host=PUBLIC, port=internal.port):
        for host in hosts:
            url = f"http://{host}:{internal.port}/"
            is_late = host in AT_ONCE
            outcomes[host] = at_once(sender, url) if is_late else one_by_one(sender, now, url)
        count = internal.connection_count
    sender.close()
    kinds = {host: Counter(outcome.kind for outcome in of) for host, of in outcomes.items()}
    longest = max(each.duration_ms for each in itertools.chain.from_iterable(outcomes.values()))
    print(json.dumps([count, kinds, longest]))  # noqa: T201  # its result


if __name__ == "__main__":
    main(sys.argv[1:])
