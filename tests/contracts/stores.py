"""The stores that keep the contract of `app.core.ports.Store`.

A new engine is one line in `STORES`; the whole suite then runs on it.
"""

from collections.abc import Callable
from pathlib import Path

from app.storage import SqlStore, Vault, open_store
from tests.postgres import postgres

KEY = bytes(range(32))


def a_vault() -> Vault:
    return Vault([("k1", KEY)])


def file_store(folder: Path) -> SqlStore:
    return open_store(f"sqlite:///{folder / 'relais.db'}", vault=a_vault(), migrate=True)


def memory_store(_folder: Path) -> SqlStore:
    return open_store("sqlite://", vault=a_vault(), migrate=True)


def postgres_store(_folder: Path) -> SqlStore:
    return open_store(postgres().new_database(), vault=a_vault())


STORES: dict[str, Callable[[Path], SqlStore]] = {
    "postgresql": postgres_store,
    "sqlite-file": file_store,
    "sqlite-memory": memory_store,
}


def drop(store: SqlStore) -> None:
    """Close the store and drop what it leaves outside of its folder."""
    store.close()
    if store.database.engine.dialect.name == "postgresql":
        postgres().drop(store.database.engine.url.database)
