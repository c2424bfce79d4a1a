"""The simulated subscriber: what came, what it is like now, and what it answers."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Self

from app.simulators.answers import SIMULATED, Reply, State, reply_of
from app.simulators.script import Script
from app.simulators.server import Request, Server
from app.system.clock import SystemClock

_REVERSE_UNSUBSCRIBE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request as it came in, the state it met, and the status it was answered."""

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    state: State
    status: int

    @property
    def event(self) -> str:
        """Return which trigger and event it brought, as far as the body tells."""
        try:
            payload = json.loads(self.body)
        except ValueError:
            return "-"
        if isinstance(payload, list):
            return f"{len(payload)} events"
        if not isinstance(payload, dict):
            return "-"
        return " ".join(str(payload[key]) for key in ("trigger", "event") if key in payload) or "-"


class Subscriber:
    """Answers on 127.0.0.1 as a platform does, in the states that a script names.

    A context manager; safe to use from any thread. A request counts as arrived before it
    is answered.
    """

    def __init__(
        self,
        platform: str = "generic",
        script: str = "on",
        *,
        port: int = 0,
        retry_after_s: int = 5,
        slow_s: float = 3.0,
        on_arrival: Callable[[Arrival], None] | None = None,
    ) -> None:
        """Bind to a port.

        Args:
            platform: A key of `app.platforms`.
            script: The states to go through; see `Script`.
            port: Where to listen; 0: any free one.
            retry_after_s: What an answer of the state ``429`` asks for.
            slow_s: How long an answer of the state ``slow`` takes.
            on_arrival: Called for each request, in the order of their arrival.

        Raises:
            ValueError: The platform is not simulated, or the script cannot be read.
            OSError: The port is taken.
        """
        if platform not in SIMULATED:
            raise ValueError(f"{platform!r} is not simulated: use one of {', '.join(SIMULATED)}.")
        self._platform = platform
        self._script = Script(script)
        self._retry_after_s = retry_after_s
        self._slow_s = slow_s
        self._on_arrival = on_arrival
        self._arrivals: list[Arrival] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._server = Server(port, self._answer)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._server.stop()

    @property
    def url(self) -> str:
        """Return the target URL to subscribe with."""
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    @property
    def state(self) -> State:
        """Return the state that the next request will meet."""
        with self._changed:
            return self._script.state

    @property
    def arrivals(self) -> list[Arrival]:
        """Return the requests so far, in the order in which they came."""
        with self._changed:
            return list(self._arrivals)

    def switch(self, script: str) -> None:
        """Go on with another script. One that cannot be read raises, and changes nothing."""
        new = Script(script)
        with self._changed:
            self._script = new

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[Arrival]:
        """Return the requests once there are ``count``; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._arrivals) >= count, timeout_s):
                came = len(self._arrivals)
                raise TimeoutError(f"{came} of {count} requests came within {timeout_s} s")
            return list(self._arrivals)

    def _answer(self, request: Request) -> Reply:
        with self._changed:
            state, reply = self._react(request)
            self._note(request, state, reply.status)
        if state is State.SLOW:
            self._stopping.wait(self._slow_s)
        return reply

    def _react(self, request: Request) -> tuple[State, Reply]:
        if self._platform == "zapier" and request.method == _REVERSE_UNSUBSCRIBE:
            # The provider says that the subscription has ended: the Zap is switched off.
            self._script = Script(State.OFF)
            return State.OFF, Reply(HTTPStatus.OK)
        state = self._script.advance()
        reply = reply_of(self._platform, state)
        if state is State.THROTTLED:
            reply = replace(reply, retry_after_s=self._retry_after_s)
        return state, reply

    def _note(self, request: Request, state: State, status: int) -> None:
        arrival = Arrival(
            at=SystemClock().now(),
            method=request.method,
            path=request.path,
            headers=request.headers,
            body=request.body,
            state=state,
            status=status,
        )
        self._arrivals.append(arrival)
        if self._on_arrival is not None:
            self._on_arrival(arrival)
        self._changed.notify_all()
