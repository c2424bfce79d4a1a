"""The sender on libcurl's multi interface: many requests, one thread, hostile receivers.

libcurl tells which sockets to watch and when to be called; this module watches them with
a selector, together with a socket pair through which other threads wake it up.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pycurl

from app.core.addresses import IpNetwork
from app.core.deliveries import Outcome, OutcomeKind
from app.core.sending import HttpRequest
from app.transport.transfer import Settings, Transfer

LOOK_UP_TIMEOUT_S = 3.0
KEPT_CONNECTIONS = 512

# libcurl may have been built elsewhere, with the path of another system inside.
_SYSTEM_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
_WATCH = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_HAPPENED = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}


class CurlSender:
    """See `app.core.sending.Sender`.

    Connections are kept and used again; TLS certificates are verified; nothing is
    followed, decoded or read from the environment.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Callable[[], datetime],
        allowed_networks: Sequence[IpNetwork] = (),
        nat64: bool = False,
        ca_file: str | None = None,
    ) -> None:
        """Make a sender without connections.

        Args:
            user_agent: ``Relais/<version>``.
            clock: Returns the aware time, for a ``Retry-After`` that is a date.
            allowed_networks: See `app.core.addresses.refusal`.
            nat64: See `app.core.addresses.refusal`.
            ca_file: The certificates to trust, in PEM; None means the system's.
        """
        self._settings = Settings(
            user_agent=user_agent,
            clock=clock,
            allowed_networks=allowed_networks,
            nat64=nat64,
            ca_file=ca_file or _system_ca_file(),
        )
        self._selector = selectors.DefaultSelector()
        self._multi = _multi(self._watch, self._set_timer)
        self._watched: set[int] = set()
        self._timer: float | None = None
        self._running: dict[pycurl.Curl, Transfer] = {}
        self._idle: list[Transfer] = []
        self._ended: list[tuple[str, Outcome]] = []
        self._look_ups: deque[tuple[float, Transfer]] = deque()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)

    @property
    def in_flight(self) -> int:
        """See `Sender`."""
        return len(self._running) + len(self._ended)

    def submit(self, request: HttpRequest) -> None:
        """See `Sender`. A request that cannot be put on the wire ends as INTERNAL."""
        transfer = self._idle.pop() if self._idle else Transfer(self._settings)
        try:
            transfer.start(request)
            self._multi.add_handle(transfer.curl)
        except (ValueError, pycurl.error) as error:
            self._idle.append(transfer)
            self._ended.append((request.token, _not_sent(error)))
            return
        self._running[transfer.curl] = transfer
        self._look_ups.append((transfer.started, transfer))

    def poll(self, timeout_s: float) -> list[tuple[str, Outcome]]:
        """See `Sender`."""
        deadline = time.monotonic() + (0 if self._ended else timeout_s)
        woken = False
        while True:
            woken = self._drive(deadline) or woken
            if self._ended or woken or time.monotonic() >= deadline:
                break
        ended, self._ended = self._ended, []
        return ended

    def wakeup(self) -> None:
        """See `Sender`."""
        try:
            self._waker.send(b"\0")
        except OSError:
            return  # a wake-up is waiting already, or the sender was closed

    def close(self) -> None:
        """See `Sender`."""
        for curl in self._running:
            self._multi.remove_handle(curl)
        for transfer in (*self._running.values(), *self._idle):
            transfer.curl.close()
        self._running.clear()
        self._idle.clear()
        self._ended.clear()
        self._look_ups.clear()
        self._multi.close()
        self._selector.close()
        self._wake.close()
        self._waker.close()

    def _drive(self, deadline: float) -> bool:
        """Wait once and let libcurl work; return whether somebody called `wakeup`."""
        woken = False
        for key, events in self._selector.select(self._wait_until(deadline)):
            if key.fileobj is self._wake:
                woken = True
                self._drain()
            else:
                self._multi.socket_action(key.fd, _HAPPENED[events])
        now = time.monotonic()
        if self._timer is not None and self._timer <= now:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        self._end_look_ups(now)
        return woken

    def _wait_until(self, deadline: float) -> float:
        until = deadline if self._timer is None else min(deadline, self._timer)
        if self._look_ups:
            until = min(until, self._look_ups[0][0] + LOOK_UP_TIMEOUT_S)
        return max(0.0, until - time.monotonic())

    def _drain(self) -> None:
        try:
            while self._wake.recv(4096):
                pass
        except BlockingIOError:
            return

    def _collect(self) -> None:
        """Take every transfer that libcurl has ended."""
        waiting = 1
        while waiting:
            waiting, done, failed = self._multi.info_read()
            for curl in done:
                self._end(curl, pycurl.E_OK, "")
            for curl, code, message in failed:
                self._end(curl, code, message)

    def _end_look_ups(self, now: float) -> None:
        """End the transfers whose name is still being looked up after its time.

        libcurl limits the look-up only together with the connection.
        """
        while self._look_ups:
            started, transfer = self._look_ups[0]
            is_running = transfer.curl in self._running and transfer.started == started
            if is_running and now < started + LOOK_UP_TIMEOUT_S:
                return
            self._look_ups.popleft()
            if is_running and transfer.is_looking_up:
                self._end(transfer.curl, pycurl.E_OPERATION_TIMEDOUT, "look-up timed out")

    def _end(self, curl: pycurl.Curl, code: int, message: str) -> None:
        transfer = self._running.pop(curl)
        self._ended.append((transfer.token, transfer.finish(code, message)))
        self._multi.remove_handle(curl)
        self._idle.append(transfer)

    def _watch(self, what: int, fd: int, _multi: object, _data: object) -> None:
        """Watch a socket as libcurl asks (M_SOCKETFUNCTION)."""
        if what == pycurl.POLL_REMOVE:
            if fd in self._watched:
                self._watched.remove(fd)
                self._selector.unregister(fd)
        elif fd in self._watched:
            self._selector.modify(fd, _WATCH[what])
        else:
            self._watched.add(fd)
            self._selector.register(fd, _WATCH[what])

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


def _not_sent(error: Exception) -> Outcome:
    return Outcome(kind=OutcomeKind.INTERNAL, duration_ms=0, detail=f"not sent: {error}")
