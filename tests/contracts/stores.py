"""The stores that keep the contract of `app.core.ports.Store`.

A new engine is one line in `STORES`; the whole suite then runs on it.
"""

from collections.abc import Callable
from pathlib import Path

from app.storage import SqlStore, Vault, open_store

KEY = bytes(range(32))


def a_vault() -> Vault:
    return Vault([("k1", KEY)])


def file_store(folder: Path) -> SqlStore:
    return open_store(f"sqlite:///{folder / 'relais.db'}", vault=a_vault(), migrate=True)


def memory_store(_folder: Path) -> SqlStore:
    return open_store("sqlite://", vault=a_vault(), migrate=True)


STORES: dict[str, Callable[[Path], SqlStore]] = {
    "sqlite-file": file_store,
    "sqlite-memory": memory_store,
}
