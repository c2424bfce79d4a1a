"""A `Context` to run use cases in: a real store in memory, the shipped catalogs, fakes."""

from dataclasses import replace
from functools import cache
from ipaddress import ip_network
from typing import Any

from app.catalog import load_registry
from app.core.catalogs import Registry
from app.core.deliveries import Outcome, OutcomeKind
from app.core.sending import HttpRequest
from app.core.target_urls import UrlRules
from app.services.context import Context, Rules
from app.storage import SqlStore, Vault, open_store
from tests.fakes import FakeClock, PromptErrands, RecordingDoorbell, SeededDice

VAULT_KEY = bytes(range(32))


class RecordingCaller:
    """A caller that keeps what it was asked to send; ``answer`` says what comes back."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.answer = lambda _request: an_answer()

    def exchange(self, request: HttpRequest) -> Outcome:
        self.requests.append(request)
        return self.answer(request)


def an_answer(status_code: int = 204, **changes: Any) -> Outcome:
    """Make what a target answered: it took the request, in 12 ms."""
    kind = OutcomeKind.SUCCEEDED if 200 <= status_code < 300 else OutcomeKind.HTTP_STATUS
    return Outcome(kind=kind, duration_ms=12, status_code=status_code)._replace(**changes)


@cache
def the_registry() -> Registry:
    """Return the shipped catalogs; they are immutable, so every test can share them."""
    return load_registry()


def a_store() -> SqlStore:
    """Make an empty store in memory; whoever asks for it closes it."""
    return open_store("sqlite://", vault=Vault([("k1", VAULT_KEY)]), migrate=True)


def some_rules(**changes: Any) -> Rules:
    """Make a deployment's rules, with loopback open for receivers of tests."""
    urls = UrlRules(allowed_networks=(ip_network("127.0.0.0/8"),))
    return replace(Rules(urls=urls), **changes)


def a_context(**changes: Any) -> Context:
    """Make a context; close its store when done."""
    parts = {
        "registry": the_registry(),
        "clock": FakeClock(),
        "dice": SeededDice(),
        "doorbell": RecordingDoorbell(),
        "errands": PromptErrands(),
        "caller": RecordingCaller(),
        "rules": some_rules(),
    }
    parts |= changes
    return Context(store=parts.pop("store", None) or a_store(), **parts)
