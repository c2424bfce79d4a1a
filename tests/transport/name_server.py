"""A name server that misbehaves, over UDP and TCP: one function says what each name has."""

import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

A, CNAME, AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN = 2, 3

Record = tuple[str, int, bytes]  # owner, type, data
Answer = list[Record] | int | None  # records, an error, or silence
Answerer = Callable[[], Answer]

_MAX_DATAGRAM = 512
_TRUNCATED = 0x0200


class Zone:
    """What each name has; names without an answer do not exist.

    ``public`` may be called, ``internal`` may not.
    """

    def __init__(self, public: str, internal: str) -> None:
        deep = [f"{number}.deep.test" for number in range(50)]
        self._answers: dict[tuple[str, int], Iterator[Answer]] = {}
        self._has("good.test", repeat([public]))
        self._has("private.test", repeat([internal]))
        self._has("flips.test", itertools.cycle([[public], [internal]]))
        self._has("mixed.test", repeat([public, internal]))
        self._has("mixed6.test", repeat([public]))
        self._is("mixed6.test", AAAA, socket.inet_pton(socket.AF_INET6, "::1"))
        self._answers["appears.test", A] = itertools.chain(
            [NXDOMAIN], itertools.repeat(a_records("appears.test", internal))
        )
        self._chain(["localhost.test", "localhost"], internal)
        self._chain(["deep.test", *deep], internal)
        self._is("loop.test", A, packed("loop.test"), kind=CNAME)
        self._has("crowd.test", repeat([f"93.184.{n // 250}.{n % 250}" for n in range(1999)]))
        self._answers["crowd.test", A] = itertools.repeat(
            [*next(self._answers["crowd.test", A]), *a_records("crowd.test", internal)]
        )
        self._answers["servfail.test", A] = itertools.repeat(SERVFAIL)
        self._answers["servfail.test", AAAA] = itertools.repeat(SERVFAIL)
        self._answers["late.test", A] = self._answers["late.test", AAAA] = itertools.repeat(None)

    def ask(self, name: str, kind: int) -> Answer:
        """Return the answer to a question."""
        if (name, kind) in self._answers:
            return next(self._answers[name, kind])
        other = AAAA if kind == A else A
        return [] if (name, other) in self._answers else NXDOMAIN

    def _has(self, name: str, addresses: Iterator[list[str]]) -> None:
        self._answers[name, A] = (a_records(name, *each) for each in addresses)

    def _is(self, name: str, asked: int, data: bytes, *, kind: int | None = None) -> None:
        self._answers[name, asked] = itertools.repeat([(name, kind or asked, data)])

    def _chain(self, names: list[str], address: str) -> None:
        links = [(owner, CNAME, packed(target)) for owner, target in pairwise(names)]
        self._answers[names[0], A] = itertools.repeat([*links, *a_records(names[-1], address)])


def repeat(addresses: list[str]) -> Iterator[list[str]]:
    return itertools.repeat(addresses)


def a_records(name: str, *addresses: str) -> list[Record]:
    return [(name, A, socket.inet_aton(address)) for address in addresses]


def packed(name: str) -> bytes:
    """Return a name as messages have it."""
    labels = name.encode().split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def reply(zone: Zone, query: bytes, *, most: int) -> bytes | None:
    """Return the message that answers ``query``, cut where it is longer than ``most``."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    [kind] = struct.unpack("!H", query[at + 1 : at + 3])
    found = zone.ask(".".join(labels).lower(), kind)
    if found is None:
        return None
    error, records = (found, []) if isinstance(found, int) else (0, found)
    rows = b"".join(_row(*record) for record in records)
    is_cut = at + 5 + len(rows) > most
    flags = 0x8180 | error | (_TRUNCATED if is_cut else 0)
    counts = struct.pack("!HHHHH", flags, 1, 0 if is_cut else len(records), 0, 0)
    return query[:2] + counts + query[12 : at + 5] + (b"" if is_cut else rows)


def _row(owner: str, kind: int, data: bytes) -> bytes:
    return packed(owner) + struct.pack("!HHIH", kind, 1, 0, len(data)) + data  # TTL 0


def serve(zone: Zone, address: str) -> None:
    """Answer at port 53 of ``address`` until the process ends."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((address, 53))
    streams = socket.create_server((address, 53))
    for target, sock in ((_serve_datagrams, datagrams), (_serve_streams, streams)):
        threading.Thread(target=target, args=(zone, sock), daemon=True).start()


def _serve_datagrams(zone: Zone, sock: socket.socket) -> None:
    while True:
        query, client = sock.recvfrom(4096)
        answer = reply(zone, query, most=_MAX_DATAGRAM)
        if answer is not None:
            sock.sendto(answer, client)


def _serve_streams(zone: Zone, listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        with client:
            while length := client.recv(2, socket.MSG_WAITALL):
                query = client.recv(*struct.unpack("!H", length), socket.MSG_WAITALL)
                answer = reply(zone, query, most=65_535) or b""
                client.sendall(struct.pack("!H", len(answer)) + answer)
