"""The composition root: the only place where adapters are chosen and wired."""

import base64
import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from flask import Flask

from app import __version__
from app.api import create_api
from app.catalog import load_registry
from app.config import Settings, SettingsError
from app.core.catalogs import Registry
from app.core.ports import Clock
from app.services.call_budget import CallBudget
from app.services.context import Context, Rules
from app.services.metrics import metrics_text
from app.storage import (
    DatabaseOptions,
    Durability,
    PostgresDoorbell,
    SqlStore,
    Vault,
    VaultError,
    open_bell,
    open_store,
)
from app.system.clock import SystemClock
from app.system.dice import SystemDice
from app.system.doorbell import LocalDoorbell, ProcessDoorbell
from app.system.errands import ThreadErrands
from app.system.metrics import SharedTally
from app.system.metrics_server import MetricsServer
from app.system.tally import Tally
from app.transport.caller import CurlCaller
from app.transport.sender import CurlSender
from app.worker.loop import DeliveryLoop
from app.worker.options import WorkerOptions
from app.worker.schedule import Schedule

USER_AGENT = f"Relais/{__version__}"
_KEY_BYTES = 32
_Bell: TypeAlias = LocalDoorbell | ProcessDoorbell | PostgresDoorbell


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that one process of Relais works with; `close` frees it."""

    settings: Settings
    context: Context
    store: SqlStore
    doorbell: _Bell
    errands: ThreadErrands
    caller: CurlCaller
    meter: Tally

    def close(self) -> None:
        """Finish the errands; free the store and the bell."""
        self.errands.close()
        self.caller.close()
        self.meter.close()
        self.doorbell.close()
        self.store.close()


def open_deployment(
    settings: Settings, *, listens: bool = False, registry: Registry | None = None
) -> Deployment:
    """Open the store (made and migrated where needed) and wire the use cases to it.

    Args:
        settings: Everything that the operator turned.
        listens: This process has a worker, so it wants to hear the bell.
        registry: The catalogs of the settings, where somebody has loaded them already.

    Raises:
        SettingsError: The data folder or the keys cannot be used.
        CatalogError: A catalog file breaks the rules.
        UnavailableError: The database cannot be opened.
    """
    registry = registry or load_registry(settings.catalogs)
    with _usable_places():
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = settings.secret_keys or _key_file(settings.data_dir)
    store = _open_store(settings, _vault(keys))
    with _usable_places():
        doorbell = _doorbell(settings, listens=listens)
    errands = ThreadErrands()
    caller = CurlCaller(lambda: _sender(settings, SystemClock()))
    meter = _meter(settings)
    context = Context(
        store=store,
        registry=registry,
        clock=SystemClock(),
        dice=SystemDice(),
        doorbell=doorbell,
        errands=errands,
        caller=caller,
        meter=meter,
        # Threads that wait for a target answer nobody else: half of them may.
        call_budget=CallBudget(at_once=max(4, settings.api_threads // 2)),
        rules=Rules(
            urls=settings.url_rules,
            payload_checks=settings.payload_checks,
            delivery_timeout=timedelta(seconds=settings.delivery_timeout_seconds),
            max_subscriptions_per_account=settings.max_subscriptions_per_account,
            user_agent=USER_AGENT,
        ),
    )
    return Deployment(settings, context, store, doorbell, errands, caller, meter)


def create_app(deployment: Deployment) -> Flask:
    """Return the API as a WSGI application."""
    return create_api(deployment.context, public_url=deployment.settings.public_url or None)


def create_loop(deployment: Deployment) -> DeliveryLoop:
    """Return a worker's delivering loop; its deployment must listen."""
    settings, context = deployment.settings, deployment.context
    sender = _sender(settings, context.clock)
    options = WorkerOptions(
        name=_process_name(),
        user_agent=USER_AGENT,
        slots=settings.worker_slots,
        share=settings.subscription_slots,
    )
    return DeliveryLoop(context, sender, deployment.doorbell, options)


def _process_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


def create_schedule(deployment: Deployment) -> Schedule:
    """Return the periodic jobs of a worker."""
    return Schedule(
        deployment.context, retention=deployment.settings.retention, holder=_process_name()
    )


def _meter(settings: Settings) -> Tally:
    """Return what counts in this process; a deployment in memory is one process anyway."""
    if settings.is_in_memory:
        return Tally()
    with _usable_places():
        return SharedTally(settings.data_dir / "metrics")


@contextlib.contextmanager
def metrics_port(deployment: Deployment) -> Iterator[None]:
    """Show the metrics on a port of their own meanwhile, where the settings name one.

    Raises:
        SettingsError: The port is taken.
    """
    port = deployment.settings.metrics_port
    if port == 0:
        yield
        return
    try:
        server = MetricsServer(port, lambda: metrics_text(deployment.context))
    except OSError as problem:
        raise SettingsError(f"RELAIS_METRICS_PORT={port}: {problem.strerror}.") from problem
    server.start()
    try:
        yield
    finally:
        server.close()


def _sender(settings: Settings, clock: Clock) -> CurlSender:
    return CurlSender(
        user_agent=USER_AGENT,
        clock=clock.now,
        allowed_networks=settings.allowed_networks,
        nat64=settings.nat64,
        ca_file=settings.ca_file or None,
    )


def _vault(keys: str) -> Vault:
    try:
        return Vault.from_text(keys)
    except VaultError as problem:
        raise SettingsError(f"The secret keys cannot be used. {problem}") from problem


def _open_store(settings: Settings, vault: Vault) -> SqlStore:
    durability = Durability[settings.sqlite_synchronous.upper()]
    try:
        return open_store(
            settings.store_url,
            vault=vault,
            options=DatabaseOptions(durability=durability),
            migrate=True,
        )
    except ValueError as problem:
        raise SettingsError(f"RELAIS_DATABASE_URL: {problem}") from problem


@contextlib.contextmanager
def _usable_places() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        place = "" if problem.filename is None else f"{problem.filename}: "
        raise SettingsError(f"{place}{problem.strerror or problem}.") from problem


def _doorbell(settings: Settings, *, listens: bool) -> _Bell:
    if settings.is_in_memory:
        return ProcessDoorbell()
    return open_bell(settings.store_url, listens=listens) or LocalDoorbell(
        settings.store_url, listens=listens
    )


def _key_file(data_dir: Path) -> str:
    """Return the keys in the data folder; the first start makes one.

    The file is for its owner only. It appears whole or not at all, and is never written
    over, also when several processes start at once or the disk is full.
    """
    path = data_dir / "secret.keys"
    if not path.exists():
        _make_key_file(path)
    text = path.read_text().strip()
    if not text:
        raise SettingsError(f"{path} is empty. Restore it from your backup.")
    return text


def _make_key_file(path: Path) -> None:
    key = base64.b64encode(SystemDice().token(_KEY_BYTES)).decode()
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret-") as file:
        file.write(f"k1:{key}\n")
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(file.name, path)
