"""What look-ups of names come to, and how long an answer is kept."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any

from app.core.addresses import IpAddress
from app.core.deliveries import OutcomeKind
from app.transport.vetting import Vetter, read_address

KEPT_S = 5.0
MAX_KEPT = 4096
MAX_CALLED = 16

# One row of getaddrinfo's answer: family, type, protocol, canonical name, socket name.
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]

# The only answers that blame the name. Everything else may be our name servers' fault.
_NOT_FOUND = frozenset(
    # Not every system knows both.
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA")
    if hasattr(socket, name)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a look-up came to.

    Attributes:
        addresses: Where the name may be called, every one vetted; in the order of the
            machine's preference.
        as_text: The addresses as libcurl reads them.
        failure: BLOCKED_ADDRESS, DNS_NOT_FOUND or DNS_FAILED; None with addresses.
        detail: For operators only.
    """

    addresses: tuple[IpAddress, ...] = ()
    as_text: str = ""
    failure: OutcomeKind | None = None
    detail: str = ""


class KeptAnswers:
    """The answers of the last few seconds. Any thread may `get`, one at a time may `keep`.

    Failures are not kept: their host may be well again the next moment.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._answers: dict[str, tuple[float, Answer]] = {}  # the oldest first

    def get(self, host: str) -> Answer | None:
        """Return the host's answer unless it is too old."""
        kept_until, answer = self._answers.get(host, (0.0, None))
        return answer if answer is not None and self._monotonic() < kept_until else None

    def keep(self, host: str, answer: Answer) -> None:
        """Keep an answer, and forget the oldest ones beyond `MAX_KEPT`."""
        self._answers.pop(host, None)
        if answer.failure in (OutcomeKind.DNS_NOT_FOUND, OutcomeKind.DNS_FAILED):
            return
        self._answers[host] = (self._monotonic() + KEPT_S, answer)
        if len(self._answers) > MAX_KEPT:
            del self._answers[next(iter(self._answers))]


def vetted(found: Sequence[AddressInfo], vetter: Vetter) -> Answer:
    """Return the answer for what a name resolved to.

    One refused address refuses the name: which of its addresses is called would be left
    to chance, or to whoever owns the name. All are vetted, the first few are called.
    """
    names = [(family, name) for family, _, _, _, name in found]
    objections = [why for family, name in names if (why := vetter.objection(family, name))]
    if objections:
        count = f"{len(objections)} of {len(names)} addresses refused"
        return Answer(failure=OutcomeKind.BLOCKED_ADDRESS, detail=f"{objections[0]}; {count}")
    addresses = tuple(dict.fromkeys(read_address(family, name) for family, name in names))
    if not addresses:
        return Answer(failure=OutcomeKind.DNS_NOT_FOUND, detail="no addresses")
    return _callable(addresses[:MAX_CALLED])


def _callable(addresses: tuple[IpAddress, ...]) -> Answer:
    texts = [f"[{ip}]" if isinstance(ip, IPv6Address) else str(ip) for ip in addresses]
    return Answer(addresses=addresses, as_text=",".join(texts))


def failed(error: Exception) -> Answer:
    """Return the answer for a look-up that raised ``error``."""
    is_not_found = isinstance(error, socket.gaierror) and error.errno in _NOT_FOUND
    kind = OutcomeKind.DNS_NOT_FOUND if is_not_found else OutcomeKind.DNS_FAILED
    return Answer(failure=kind, detail=f"look-up: {error}")
