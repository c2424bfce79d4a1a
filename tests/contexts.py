"""A `Context` to run use cases in: a real store in memory, the shipped catalogs, fakes."""

from dataclasses import replace
from functools import cache
from ipaddress import ip_network
from typing import Any

from app.catalog import load_registry
from app.core.catalogs import Registry
from app.core.target_urls import UrlRules
from app.services.context import Context, Rules
from app.storage import SqlStore, Vault, open_store
from tests.fakes import FakeClock, PromptErrands, RecordingDoorbell, SeededDice

VAULT_KEY = bytes(range(32))


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
        "rules": some_rules(),
    }
    parts |= changes
    return Context(store=parts.pop("store", None) or a_store(), **parts)
