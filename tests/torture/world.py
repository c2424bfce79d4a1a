"""One deployment under test: a database, a receiver, an API, workers; and their end."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy import make_url

from app.cli.first_start import DEMO_ACCOUNT
from tests.e2e.processes import READY, make_first_keys
from tests.postgres import postgres
from tests.torture import disk, faults, ledger
from tests.torture.calls import Api
from tests.torture.children import Child, Nursery

DELIVERS = "The worker delivers."
LEASE_S = 3.0
_SINK = Path(__file__).with_name("sink.py")
_LOOK_EVERY_S = 0.05
_UNSETTLED = ("pending", "sending")


class World:
    """A context manager; leaving it kills everything and drops the database."""

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        engine: str,
        *,
        settings: dict[str, str] | None = None,
        lease_s: float = LEASE_S,
        small_disk: bool = False,
    ) -> None:
        """Make the database, the keys and the receiver; processes are started by name."""
        self.engine = engine
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.lease_s = lease_s
        self.secrets: dict[str, list[str]] = {}
        self.subscriptions: dict[str, str] = {}
        self._nursery = nursery
        self._stack = contextlib.ExitStack()
        if small_disk:
            disk.mount_small(self.data)
            self._stack.callback(disk.unmount, self.data)
        self.settings = {"RELAIS_LOG_FORMAT": "json"} | (settings or {})
        url = self._database() if engine == "postgresql" else ""
        if url:
            self.settings["RELAIS_DATABASE_URL"] = url
        faults.factory.load_registry = faults.load_registry_once  # only the speed
        self.publisher_key, self.account_key = make_first_keys(self.data, database_url=url)
        self.ledger = ledger.Ledger(folder / "sent.jsonl")
        self._stack.callback(self.ledger.close)
        self.arrived = folder / "arrived.jsonl"
        self.sink = self._start_sink()
        self.url = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def at_the_end(self, do: Callable[[], Any]) -> None:
        """Do this before anything that was there already is stopped."""
        self._stack.callback(do)

    # -- Processes

    def start_api(self, **given: Any) -> Child:
        """Start an API and wait until it listens; a later one takes the same port."""
        port = self.url.rpartition(":")[2] or "0"
        child = self._start("api", "--port", port, **given)
        url = child.rest_of(READY)
        self.url = self.url or url
        return child

    def start_second_api(self, **given: Any) -> tuple[Child, str]:
        """Start one more API, at a port of its own; return its address too."""
        child = self._start("api", "--port", "0", **given)
        return child, child.rest_of(READY)

    def start_worker(self, *, waits: bool = True, **given: Any) -> Child:
        """Start a worker and wait until it delivers."""
        child = self._start("worker", **given)
        if waits:
            child.rest_of(DELIVERS)
        return child

    def _start(
        self,
        *args: str,
        settings: dict[str, str] | None = None,
        **planned: Any,
    ) -> Child:
        child = self._nursery.start(
            *args,
            "--data",
            str(self.data),
            folder=self.folder,
            settings=self.settings | (settings or {}),
            faults={"lease_s": self.lease_s} | planned,
        )
        self._stack.callback(child.kill)
        return child

    def target(self, lane: str, query: str = "") -> str:
        return f"{self.sink}/{lane}{query}"

    def _start_sink(self) -> str:
        sink = subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, str(_SINK), str(self.arrived)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(_end, sink)
        return f"http://127.0.0.1:{sink.stdout.readline().strip()}"

    def _database(self) -> str:
        url = postgres().new_database(migrated=False)
        self._stack.callback(_drop, make_url(url).database)
        return url

    # -- What an account does

    def publisher(self, url: str = "") -> Api:
        return self._api(url or self.url, self.publisher_key)

    def account(self) -> Api:
        return self._api(self.url, self.account_key)

    def _api(self, url: str, key: str) -> Api:
        made = Api(url, key)
        self._stack.callback(made.close)
        return made

    def subscribe(self, *lanes: str, query: str = "", base: str = "") -> None:
        """Make a subscription for each lane: the first part of its target's path."""
        with contextlib.closing(Api(self.url, self.account_key)) as api:
            for lane in lanes:
                target = f"{base or self.sink}/{lane}{query}"
                wish = {"trigger": "new_appointment", "target_url": target}
                answer = api.call("POST", "/subscriptions", wish)
                assert answer.status == 201, answer.document
                self.subscriptions[lane] = answer.document["id"]
                self.secrets[lane] = [answer.document["secret"]]

    # -- Waiting

    def arrival_count(self) -> int:
        return ledger.arrival_count(self.arrived)

    def wait_until(self, is_so: Callable[[], bool], patience_s: float, what: str) -> float:
        """Wait; return how long it took. Fails the trial where it does not come."""
        start = time.monotonic()
        while not is_so():
            assert time.monotonic() < start + patience_s, f"in {patience_s:.0f} s not: {what}"
            time.sleep(_LOOK_EVERY_S)
        return time.monotonic() - start

    def wait_for_quiet(self, patience_s: float = 120.0) -> float:
        """Wait until every delivery has ended; return how long that took."""
        api = self.account()
        return self.wait_until(lambda: not _has_open(api), patience_s, "every delivery settled")

    def leaks(self) -> list[str]:
        """Return the logs that hold a secret or a key."""
        secrets = [one for several in self.secrets.values() for one in several]
        canaries = [one.encode() for one in (*secrets, self.publisher_key, self.account_key)]
        logs = [(path.name, path.read_bytes()) for path in self.folder.glob("*.log")]
        return [name for name, text in logs if any(one in text for one in canaries)]

    def is_sound(self) -> bool:
        """Return whether the database file is whole (SQLite's own check)."""
        if self.engine != "sqlite":
            return True
        with contextlib.closing(sqlite3.connect(self.data / "relais.db")) as connection:
            return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


class Keeper:
    """Keeps a process running, as a supervisor does: a new one as soon as it has ended."""

    def __init__(self, world: World, start: Callable[[], Child]) -> None:
        self._start = start
        self._stopping = threading.Event()
        self.child = start()
        self.ended: list[Child] = []
        self.waits: list[float] = []  # from each end until the next one was ready
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()
        world.at_the_end(self.stop)

    def stop(self) -> Child:
        """Stop keeping; the process that runs goes on."""
        self._stopping.set()
        self._thread.join()
        return self.child

    def wait_until_it_runs(self, patience_s: float = 30.0) -> None:
        """Wait for the next process, where one has ended just now."""
        deadline = time.monotonic() + patience_s
        while not self.child.is_running:
            assert time.monotonic() < deadline, f"no new process:\n{self.child.log[-3000:]}"
            time.sleep(_LOOK_EVERY_S / 5)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            if self.child.is_running:
                time.sleep(_LOOK_EVERY_S / 5)
                continue
            self.ended.append(self.child)
            with contextlib.suppress(AssertionError):  # it ended while it started: once more
                self.child = self._start()
                self.waits.append(time.monotonic() - self.ended[-1].ended_at)


def _drop(database: str) -> None:
    # Where the server is away, the trial has failed already, and says why.
    with contextlib.suppress(psycopg.OperationalError):
        postgres().drop(database)


def _has_open(api: Api) -> bool:
    return any(api.get("/deliveries", state=one, limit=1)["data"] for one in _UNSETTLED)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


ACCOUNT = DEMO_ACCOUNT
