"""The sender on libcurl's multi interface: many requests, one thread, hostile receivers.

Names are looked up first, on other threads (`app.transport.resolver`). libcurl tells
which sockets to watch and when to be called; this module watches them with a selector,
which other threads can interrupt.

libcurl knows a kept connection by the name in the URL. Whether it leads to an address
that the name has now, the guard asks before each request; where it does not, the request
goes out on a new connection, and the old one is closed.
"""

import selectors
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pycurl

from app.core.addresses import IpNetwork
from app.core.deliveries import Outcome, OutcomeKind
from app.core.sending import HttpRequest
from app.transport.answers import Answer
from app.transport.destination import Destination
from app.transport.interrupt import Interrupt
from app.transport.look_ups import LookUps
from app.transport.resolver import GetAddressInfo, Resolver
from app.transport.transfer import Settings, Transfer
from app.transport.vetting import Vetter
from app.transport.watching import SocketWatch

KEPT_CONNECTIONS = 512
MAX_CONNECTED = 4096

_NOTHING_TO_LOOK_UP = Answer()

# libcurl may have been built elsewhere, with the path of another system inside.
_SYSTEM_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


class CurlSender:
    """See `app.core.sending.Sender`.

    libcurl looks no name up: it calls the vetted addresses that it is given. Connections
    are kept and used again; TLS certificates are verified; nothing is followed, decoded or
    read from the environment.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Callable[[], datetime],
        allowed_networks: Sequence[IpNetwork] = (),
        nat64: bool = False,
        ca_file: str | None = None,
        getaddrinfo: GetAddressInfo | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a sender without connections.

        Args:
            user_agent: ``Relais/<version>``.
            clock: Returns the aware time, for a ``Retry-After`` that is a date.
            allowed_networks: See `app.core.addresses.refusal`.
            nat64: See `app.core.addresses.refusal`.
            ca_file: The certificates to trust, in PEM; None means the system's.
            getaddrinfo: See `app.transport.resolver.Resolver`.
            monotonic: See `app.transport.resolver.Resolver`.
        """
        self._selector = selectors.DefaultSelector()
        self._interrupt = Interrupt(self._selector)
        self._watch = SocketWatch(self._selector)
        vetter = Vetter(allowed=allowed_networks, nat64=nat64)
        self._settings = Settings(
            user_agent=user_agent,
            clock=clock,
            vetter=vetter,
            socket_opened=self._watch.opened,
            ca_file=ca_file or _system_ca_file(),
        )
        self._multi = _multi(self._watch.want, self._set_timer)
        self._connected: set[Destination] = set()  # a connection may be kept
        self._timer: float | None = None
        self._running: dict[pycurl.Curl, Transfer] = {}
        self._idle: list[Transfer] = []
        self._ended: list[tuple[str, Outcome]] = []
        self._look_ups: LookUps[Transfer] = LookUps(
            Resolver(vetter, self._interrupt.ring, getaddrinfo=getaddrinfo, monotonic=monotonic)
        )
        self._woken = threading.Event()

    @property
    def in_flight(self) -> int:
        """See `Sender`."""
        return len(self._look_ups) + len(self._running) + len(self._ended)

    def submit(self, request: HttpRequest) -> None:
        """See `Sender`. A request that cannot be put on the wire ends as INTERNAL."""
        transfer = self._idle.pop() if self._idle else Transfer(self._settings)
        try:
            transfer.start(request)
        except (ValueError, pycurl.error) as error:
            self._give_up(transfer, OutcomeKind.INTERNAL, f"not sent: {error}")
            return
        destination = transfer.destination
        if destination.is_address:
            self._call(transfer, _NOTHING_TO_LOOK_UP)
        elif (answer := self._look_ups.ask(destination.host)) is not None:
            self._call(transfer, answer)
        else:
            deadline = transfer.look_up_deadline
            self._look_ups.wait(destination.host, transfer, deadline=deadline)

    def poll(self, timeout_s: float) -> list[tuple[str, Outcome]]:
        """See `Sender`."""
        deadline = time.monotonic() + (0 if self._ended else timeout_s)
        while True:
            self._drive(deadline)
            if self._ended or self._woken.is_set() or time.monotonic() >= deadline:
                break
        self._woken.clear()
        ended, self._ended = self._ended, []
        return ended

    def wakeup(self) -> None:
        """See `Sender`."""
        self._woken.set()
        self._interrupt.ring()

    def close(self) -> None:
        """See `Sender`. Never waits, not even for a look-up that hangs."""
        self._look_ups.close()
        for curl in self._running:
            self._multi.remove_handle(curl)
        for transfer in (*self._running.values(), *self._idle):
            transfer.curl.close()
        self._running.clear()
        self._idle.clear()
        self._ended.clear()
        self._multi.close()
        self._selector.close()
        self._interrupt.close()

    def _call(self, transfer: Transfer, answer: Answer, *, is_again: bool = False) -> None:
        """Give the transfer to libcurl, or end it where there is nobody to call."""
        if answer.failure is not None:
            self._give_up(transfer, answer.failure, answer.detail)
            return
        try:
            is_fresh = is_again or transfer.destination not in self._connected
            transfer.call(answer, is_fresh=is_fresh)
            self._multi.add_handle(transfer.curl)
        except pycurl.error as error:
            self._give_up(transfer, OutcomeKind.INTERNAL, f"not sent: {error}")
            return
        self._running[transfer.curl] = transfer

    def _give_up(self, transfer: Transfer, kind: OutcomeKind, detail: str) -> None:
        self._ended.append((transfer.token, transfer.not_called(kind, detail)))
        self._idle.append(transfer)

    def _drive(self, deadline: float) -> None:
        """Wait once, and let libcurl and the look-ups go on."""
        for key, events in self._selector.select(self._wait_until(deadline)):
            if self._interrupt.is_behind(key):
                self._interrupt.silence()
            else:
                happened = self._watch.happened(key.fd, events)
                if happened is not None:
                    self._multi.socket_action(key.fd, happened)
        now = time.monotonic()
        if self._timer is not None and self._timer <= now:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        for transfer, answer in self._look_ups.take(now):
            self._call(transfer, answer)

    def _wait_until(self, deadline: float) -> float:
        moments = (deadline, self._timer, self._look_ups.next_deadline())
        until = min(moment for moment in moments if moment is not None)
        return max(0.0, until - time.monotonic())

    def _collect(self) -> None:
        """Take every transfer that libcurl has ended."""
        waiting = 1
        while waiting:
            waiting, done, failed = self._multi.info_read()
            for curl in done:
                self._end(curl, pycurl.E_OK, "")
            for curl, code, message in failed:
                self._end(curl, code, message)

    def _end(self, curl: pycurl.Curl, code: int, message: str) -> None:
        transfer = self._running.pop(curl)
        if transfer.is_to_be_called_again:
            self._multi.remove_handle(curl)
            self._call(transfer, transfer.answer, is_again=True)
            return
        self._ended.append((transfer.token, transfer.finish(code, message)))
        self._multi.remove_handle(curl)
        self._idle.append(transfer)
        if code == pycurl.E_OK:
            self._may_be_kept(transfer.destination)

    def _may_be_kept(self, destination: Destination) -> None:
        if len(self._connected) >= MAX_CONNECTED:
            self._connected.clear()
        self._connected.add(destination)

    def _set_timer(self, timeout_ms: int) -> None:
        """Remember when libcurl wants to be called (M_TIMERFUNCTION); -1 means never."""
        self._timer = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000


def _multi(watch: Callable[..., None], set_timer: Callable[[int], None]) -> pycurl.CurlMulti:
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
    multi.setopt(pycurl.M_TIMERFUNCTION, set_timer)
    multi.setopt(pycurl.M_MAXCONNECTS, KEPT_CONNECTIONS)
    multi.setopt(pycurl.M_PIPELINING, 0)
    return multi


def _system_ca_file() -> str | None:
    """Return the system's certificates, or None to leave it to libcurl's own default."""
    return next((path for path in _SYSTEM_CA_FILES if Path(path).is_file()), None)
