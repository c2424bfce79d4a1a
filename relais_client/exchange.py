"""One HTTP exchange with Relais. What the network did is a value, not an exception.

Exceptions of the HTTP library hold the request, and so the API key: they stop here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import MaxRetryError, NewConnectionError

from relais_client.wire import Json

API_ROOT = "/api/v1"
USER_AGENT = f"relais-client/{version('relais')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it is sent, the same at every attempt.

    ``repeatable``: doing it twice does the same as doing it once.
    ``account``: the account it is about, for a publisher key that acts for one.
    """

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = True
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names in ``headers`` are matched in any case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Return whether the status is 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_error(self) -> bool:
        """Return whether the status is 4xx or 5xx."""
        return self.status >= HTTPStatus.BAD_REQUEST

    def document(self) -> Json:
        """Return the parsed body; raises ValueError where it is not JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Nothing came back, or not all of it.

    ``never_sent``: there was no connection, so Relais cannot have acted on the request.
    """

    reason: str
    never_sent: bool
    temporary: bool = True


class Exchanger:
    """Sends calls to one Relais, with one key, over connections that it keeps."""

    def __init__(self, base_url: str, key: str, *, timeout_s: float) -> None:
        self._root = _checked_base_url(base_url) + API_ROOT
        self._timeout_s = timeout_s
        self._session = requests.Session()
        # The retries are ours: urllib3's know neither idempotency nor total time.
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        # As `auth`, not as a header: a netrc file would replace a header.
        self._session.auth = _KeyAuth(key)

    def exchange(self, call: Call) -> Answer | NoAnswer:
        """Send the call once and return what the network made of it."""
        try:
            response = self._session.request(
                call.method,
                self._root + call.path,
                params=call.params,
                data=call.body,
                headers=_headers(call),
                timeout=self._timeout_s,
                allow_redirects=False,  # the API has none; the key goes nowhere else
            )
        except requests.RequestException as error:
            return no_answer(error)
        return Answer(
            status=response.status_code,
            reason=response.reason or "",
            headers=response.headers,
            body=response.content,
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class _KeyAuth(AuthBase):
    def __init__(self, key: str) -> None:
        # The HTTP library's own complaint about such a header would quote it.
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("key: not an API key (empty, or with spaces or odd characters)")
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _headers(call: Call) -> dict[str, str]:
    headers = {} if call.body is None else {"Content-Type": "application/json"}
    if call.account is not None:
        if not call.account.isascii() or not call.account.isprintable():
            raise ValueError("account: this reference fits into no header; use the id, acc_…")
        headers["Relais-Account"] = call.account
    return headers


def _checked_base_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("base_url: an http or https URL, such as https://hooks.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("base_url: without user name, query and fragment")
    return base_url.rstrip("/")


def no_answer(error: requests.RequestException) -> NoAnswer:
    """Return what an exception of the HTTP library means, without the exception."""
    match error:
        case requests.ConnectTimeout():
            return NoAnswer(reason="no connection in time", never_sent=True)
        case requests.Timeout():
            return NoAnswer(reason="no answer in time", never_sent=False)
        case requests.exceptions.SSLError():
            return NoAnswer(reason="no secure connection (TLS)", never_sent=False)
        case requests.ConnectionError() if _is_no_connection(error):
            return NoAnswer(reason="no connection", never_sent=True)
        case requests.ConnectionError() | requests.exceptions.ChunkedEncodingError():
            return NoAnswer(reason="the connection broke", never_sent=False)
        case _:
            return NoAnswer(reason=type(error).__name__, never_sent=False, temporary=False)


def _is_no_connection(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
