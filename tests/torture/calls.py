"""HTTP to the API under test: no retries, no surprises; no answer is a value too."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

_TIMEOUT_S = 30.0
_PAGE = 100
_AWAY = (0, 503)
_AWAY_AT_MOST_S = 10.0
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 is a connection that broke."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    document: Any = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Api:
    """One kept connection, for one thread."""

    def __init__(self, url: str, key: str) -> None:
        self._host = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT_S)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Make one call. A kept connection that the server has closed is opened again."""
        data = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, f"/api/v1{path}", data, self._headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(0)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, json.loads(text) if text else None)

    def get(self, path: str, **query: Any) -> Any:
        """Return a document, from an API that may be away for a moment."""
        asked = f"{path}?{urlencode(query)}" if query else path
        deadline = time.monotonic() + _AWAY_AT_MOST_S
        while (answer := self.call("GET", asked)).status in _AWAY and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        assert answer.status == 200, f"GET {asked}: {answer.status} {answer.document}"
        return answer.document

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list."""
        cursor: str | None = ""
        while cursor is not None:
            at = {"cursor": cursor} if cursor else {}
            page = self.get(path, limit=_PAGE, **at, **query)
            yield from page["data"]
            cursor = page.get("next_cursor")

    def close(self) -> None:
        self._connection.close()
