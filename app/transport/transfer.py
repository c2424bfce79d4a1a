"""One easy handle of libcurl, used for one request after the other."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pycurl

from app.core.deliveries import Outcome, OutcomeKind
from app.core.retry_after import parse_retry_after
from app.core.sending import HttpRequest
from app.transport.answers import Answer
from app.transport.classify import Failure, classify
from app.transport.destination import Destination, destination_of
from app.transport.guard import Guard
from app.transport.response import Head, Response
from app.transport.vetting import Vetter

LOOK_UP_TIMEOUT_S = 3.0

# The same for each request: what libcurl must not do by itself.
OPTIONS: tuple[tuple[int, object], ...] = (
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PROXY, ""),
    (pycurl.NOPROXY, "*"),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.HTTPAUTH, pycurl.HTTPAUTH_NONE),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.HTTP_CONTENT_DECODING, 0),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.NOSIGNAL, 1),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SUCCESS = range(200, 300)
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
# libcurl adds these of its own accord unless they are named without a value.
_NO_EXPECT = "Expect:"
_NO_CONTENT_TYPE = "Content-Type:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is the same for each request of a sender. See `app.transport.sender`.

    ``socket_opened`` is told the number of each new socket.
    """

    user_agent: str
    clock: Callable[[], datetime]
    vetter: Vetter
    socket_opened: Callable[[int], None]
    ca_file: str | None = None


class Transfer:
    """A request on its way, and what has come back so far.

    Attributes:
        curl: The handle to give to the multi interface between `call` and `finish`.
        token: The request's token.
        destination: Where the request goes.
    """

    __slots__ = (
        "_clock",
        "_guard",
        "_is_fresh",
        "_limits",
        "_method",
        "_request",
        "_response",
        "_started",
        "answer",
        "curl",
        "destination",
    )
    answer: Answer
    destination: Destination
    _request: HttpRequest

    def __init__(self, settings: Settings) -> None:
        self._clock = settings.clock
        self._guard = Guard(settings.vetter, opened=settings.socket_opened)
        self._response = Response()
        self._method: tuple[str, bool] | None = None
        self._limits: tuple[int, int] | None = None
        self._is_fresh = False
        self._started = 0.0
        self.curl = pycurl.Curl()
        _set_up(self.curl, settings)
        self.curl.setopt(pycurl.RESOLVER_START_FUNCTION, self._guard.start_resolver)
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._guard.open_socket)
        self.curl.setopt(pycurl.PREREQFUNCTION, self._guard.before_request)
        self.curl.setopt(pycurl.DEBUGFUNCTION, self._guard.listen)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._response.header_lines.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._response.on_body)

    def start(self, request: HttpRequest) -> None:
        """Set the handle up for ``request``; its time begins.

        Raises:
            ValueError: The request cannot be put on the wire as it is.
            pycurl.error: libcurl does not take it.
        """
        self._request = request
        self._started = time.monotonic()
        self.destination = destination_of(request.target_url)
        self._response.reset()
        self._set_method(request.method, request.body)
        curl = self.curl
        curl.setopt(pycurl.URL, request.target_url)
        curl.setopt(pycurl.HTTPHEADER, _header_lines(request.headers))

    @property
    def token(self) -> str:
        """Return the request's token."""
        return self._request.token

    @property
    def look_up_deadline(self) -> float:
        """Return the monotonic time at which a look-up of the name has failed."""
        request = self._request
        limits = (LOOK_UP_TIMEOUT_S, request.connect_timeout_s, request.total_timeout_s)
        return self._started + min(limits)

    def call(self, answer: Answer, *, is_fresh: bool) -> None:
        """Let libcurl call one of the addresses, or the one that the URL itself holds.

        A look-up has used up part of the request's time.

        Args:
            answer: What the look-up of the name came to.
            is_fresh: Make a connection. Otherwise one is expected to be kept; where
                there is none to one of the addresses, the transfer ends, and
                `is_to_be_called_again`.

        Raises:
            pycurl.error: libcurl does not take it.
        """
        self.answer = answer
        self._guard.reset(pinned=answer.addresses, may_connect=is_fresh)
        self._set_limits(time.monotonic() - self._started)
        if self._is_fresh != is_fresh:
            self.curl.setopt(pycurl.FRESH_CONNECT, is_fresh)
            self.curl.setopt(pycurl.VERBOSE, is_fresh)  # see `Guard.listen`
            self._is_fresh = is_fresh
        if is_fresh and answer.addresses:
            host, port = self.destination.host, self.destination.port
            # The plus sign lets libcurl forget it after a minute.
            self.curl.setopt(pycurl.RESOLVE, [f"+{host}:{port}:{answer.as_text}"])

    @property
    def is_to_be_called_again(self) -> bool:
        """Return whether no kept connection would do.

        Then nothing was sent, or it was sent to a kept connection that turned out to have
        been closed before.
        """
        return self._guard.is_stale and not self._is_fresh

    def not_called(self, kind: OutcomeKind, detail: str) -> Outcome:
        """Return the outcome of a request of which nothing was sent."""
        return Outcome(kind=kind, duration_ms=self._duration_ms(), detail=detail)

    def finish(self, code: int, message: str) -> Outcome:
        """Return the outcome of the transfer, which ended with libcurl's ``code``."""
        detail = f"curl {code}: {message}" if code != pycurl.E_OK else ""
        head = self._response.head()
        if head is not None:
            return self._answered(head, detail)
        refused, fault = self._guard.refused, self._guard.fault
        failure = Failure(
            code=code,
            refused=refused is not None,
            faulty=fault is not None,
            connected=self._is_connected,
            named_the_old_way=self._guard.is_named_the_old_way,
            answered=bool(self._response.header_lines),
            os_errno=self.curl.getinfo(pycurl.OS_ERRNO),
            verify_result=self.curl.getinfo(pycurl.SSL_VERIFYRESULT),
            message=detail,
        )
        return Outcome(
            kind=classify(failure),
            duration_ms=self._duration_ms(),
            detail="; ".join(part for part in (refused, fault, detail) if part),
        )

    def _answered(self, head: Head, detail: str) -> Outcome:
        """Return the outcome by the status, whatever became of the rest of the body."""
        response = self._response
        is_success = head.status_code in _SUCCESS
        return Outcome(
            kind=OutcomeKind.SUCCEEDED if is_success else OutcomeKind.HTTP_STATUS,
            duration_ms=self._duration_ms(),
            status_code=head.status_code,
            response_headers=head.headers,
            response_body=response.body,
            truncated=bool(detail) or head.is_cut or response.is_cut,
            retry_after_seconds=None if is_success else self._retry_after(head),
            detail=detail,
        )

    def _retry_after(self, head: Head) -> int | None:
        values = head.values("retry-after")
        # Two values contradict each other: nothing was asked for.
        return parse_retry_after(values[0], now=self._clock()) if len(values) == 1 else None

    def _set_method(self, method: str, body: bytes) -> None:
        has_body = bool(body) or method in _BODY_METHODS
        if self._method != (method, has_body):
            _set_method(self.curl, method, has_body=has_body)
            self._method = (method, has_body)
        if has_body:
            self.curl.setopt(pycurl.POSTFIELDS, body)

    def _set_limits(self, spent_s: float) -> None:
        total_s, connect_s = self._request.total_timeout_s, self._request.connect_timeout_s
        limits = (_milliseconds(total_s - spent_s), _milliseconds(connect_s - spent_s))
        if limits != self._limits:
            self.curl.setopt(pycurl.TIMEOUT_MS, limits[0])
            self.curl.setopt(pycurl.CONNECTTIMEOUT_MS, limits[1])
            self._limits = limits

    @property
    def _is_connected(self) -> bool:
        # The timers will not do: libcurl sets them on failures too.
        return bool(self.curl.getinfo(pycurl.REQUEST_SIZE) > 0)

    def _duration_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


def _set_up(curl: pycurl.Curl, settings: Settings) -> None:
    for option, value in OPTIONS:
        curl.setopt(option, value)
    curl.setopt(pycurl.USERAGENT, settings.user_agent)
    if settings.ca_file is not None:
        curl.setopt(pycurl.CAINFO, settings.ca_file)


def _set_method(curl: pycurl.Curl, method: str, *, has_body: bool) -> None:
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        raise ValueError("not a method")
    if method == "HEAD" and has_body:
        raise ValueError("HEAD has no body")
    curl.setopt(pycurl.POST if has_body else pycurl.HTTPGET, 1)
    if method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)  # or else libcurl would wait for the answer's
    curl.setopt(pycurl.CUSTOMREQUEST, method)


def _header_lines(headers: Sequence[tuple[str, str]]) -> list[bytes]:
    # libcurl drops a header without a value, unless it is written with a semicolon.
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers]
    lines.append(_NO_EXPECT)
    if "content-type" not in [name.lower() for name, _ in headers]:
        lines.append(_NO_CONTENT_TYPE)
    text = "\n".join(lines)
    if text.count("\n") >= len(lines) or "\r" in text or "\0" in text:
        raise ValueError("a header would break its line")
    return text.encode("latin-1").split(b"\n")


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would mean no limit
