"""A throw-away Relais, used through its public face only: its command line and its API."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice, repeat
from pathlib import Path
from typing import Any

import requests

from benchmarks.load import Load, post
from benchmarks.processes import started

RELAIS = str(Path(sys.executable).with_name("relais"))
EVENT_TYPE = "appointment.create"
TRIGGER = "changed_appointment"
BATCH = 100
_LOG = "stderr.log"
_READY = "Relais is ready at "
_PAGE = 100
_RECORDS = 1000
_POLL_S = 0.01
_TIMEOUT_S = 60
# With loopback allowed, as receivers are on this machine, and little logged, as in production.
_VARIABLES = {"RELAIS_ALLOWED_NETWORKS": "127.0.0.0/8", "RELAIS_LOG_LEVEL": "error"}


def record(number: int) -> dict[str, Any]:
    """Return the data of one event: an appointment of the catalog `bookings`."""
    return {
        "id": 8_800_000 + number,
        "schedule_id": 51423,
        "schedule_name": "Yoga room",
        "user_id": 4417,
        "name": "ines@example.org",
        "full_name": "Inès Moreau",
        "email": "ines@example.org",
        "start": "2031-03-04T18:00:00+01:00",
        "finish": "2031-03-04T19:00:00+01:00",
        "resource_id": 30911,
        "res_name": "Room 2",
        "service_id": 20874,
        "service_name": "Private yoga lesson",
        "quantity": 1,
        "price": 45.0,
        "status_code": 10,
        "waitlisted": False,
        "created_on": "2031-03-01T09:30:00+01:00",
        "created_by": "ines@example.org",
        "updated_on": "2031-03-01T09:30:00+01:00",
        "updated_by": "ines@example.org",
        "deleted": False,
    }


@dataclass
class Deployment:
    """A running Relais and its publisher key."""

    process: subprocess.Popen[str]
    url: str
    key: str
    folder: Path

    def account(self, reference: str) -> "Account":
        """Make an account."""
        body = {"reference": reference, "name": reference}
        made = self.call("POST", "/accounts", key=self.key, body=body)
        path = f"/accounts/{made['id']}/keys"
        key = self.call("POST", path, key=self.key, body={"name": "benchmark"})["key"]
        return Account(self, reference, key)

    def batch(self, accounts: Iterable["Account"]) -> bytes:
        """Return a prebuilt request that publishes an event of each of these accounts."""
        events = [one.event(number) for number, one in enumerate(accounts)]
        body = json.dumps({"events": events}).encode()
        return post("/api/v1/events/batch", body, key=self.key)

    def call(self, method: str, path: str, *, key: str, body: Any = None) -> Any:
        """Call the API; return its answer."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT_S,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None


@dataclass
class Account:
    """An account of the deployment.

    Attributes:
        paths: Where its subscriptions deliver to, at the receiver.
        delivered: How many deliveries the benchmark has seen to their end so far.
    """

    deployment: Deployment
    reference: str
    key: str
    paths: list[str] = field(default_factory=list)
    subscription_ids: list[str] = field(default_factory=list)
    delivered: int = 0

    def subscribe(self, receiver_url: str, count: int = 1, *, kind: str = "to") -> "Account":
        """Make so many subscriptions, each with a path of its own, and return itself."""
        for _ in range(count):
            path = f"/{kind}/{self.reference}/{len(self.paths)}"
            body = {"trigger": TRIGGER, "target_url": receiver_url + path}
            made = self.deployment.call("POST", "/subscriptions", key=self.key, body=body)
            self.paths.append(path)
            self.subscription_ids.append(made["id"])
        return self

    def unsubscribe(self) -> None:
        """End the subscriptions."""
        for one in self.subscription_ids:
            self.deployment.call("DELETE", f"/subscriptions/{one}", key=self.key)

    def singles(self, count: int) -> Iterator[bytes]:
        """Return prebuilt requests that publish one event each."""
        bodies = [json.dumps(self.event(number)) for number in range(min(count, _RECORDS))]
        key = self.deployment.key
        built = [post("/api/v1/events", one.encode(), key=key) for one in bodies]
        return islice(cycle(built), count)

    def batches(self, count: int) -> Iterator[bytes]:
        """Return prebuilt requests that publish ``count`` events, 100 at a time."""
        whole, rest = divmod(count, BATCH)
        yield from repeat(self.deployment.batch([self] * BATCH), whole)
        if rest:
            yield self.deployment.batch([self] * rest)

    def publish(self, count: int) -> None:
        """Publish so many events."""
        with Load(self.deployment.url, 1) as load:
            load.closed(self.batches(count))

    def settled(self) -> int:
        """Return how many deliveries have succeeded so far."""
        return sum(one["delivery_count"] for one in self._subscriptions())

    def wait_settled(self, count: int, patience_s: float) -> float:
        """Wait until so many more deliveries have succeeded, and return the moment.

        Raises:
            TimeoutError: They have not.
        """
        end = time.monotonic() + patience_s
        self.delivered += count
        while (found := self.settled()) < self.delivered:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{found} of {self.delivered} deliveries settled in {patience_s:.0f} s"
                )
            time.sleep(_POLL_S)
        return time.monotonic()

    def _subscriptions(self) -> Iterator[Any]:
        cursor = ""
        while True:
            path = f"/subscriptions?limit={_PAGE}{cursor}"
            page = self.deployment.call("GET", path, key=self.key)
            yield from page["data"]
            if not page.get("next_cursor"):
                return
            cursor = f"&cursor={page['next_cursor']}"

    def event(self, number: int) -> dict[str, Any]:
        """Return an event to publish."""
        return {"account": self.reference, "type": EVENT_TYPE, "data": record(number)}


@contextlib.contextmanager
def relais(
    database: str = "", *, folder: Path | None = None, command: str = "serve", **variables: str
) -> Iterator[Deployment]:
    """Run Relais on a database, or on SQLite in a fresh folder.

    ``folder``: its data folder, kept; `key` in it holds the publisher key of the first start.
    """
    with contextlib.ExitStack() as stack:
        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        arguments = [RELAIS, command, "--port", "0", "--data", str(where)]
        variables = {**_VARIABLES, "RELAIS_DATABASE_URL": database, **variables}
        process = stack.enter_context(started(arguments, where / _LOG, **variables))
        url, key = _ready(process, where / _LOG)
        key_file = where / "key"
        if key:
            key_file.write_text(key)
        yield Deployment(process, url, key or key_file.read_text(), where)


def _ready(process: subprocess.Popen[str], log: Path) -> tuple[str, str]:
    key = ""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("Publisher key: "):
            key = line.split()[-1]
        if line.startswith(_READY):
            return line.removeprefix(_READY).strip(), key
    raise ChildProcessError(f"Relais ended before it was ready:\n{log.read_text()}")
