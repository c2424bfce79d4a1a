"""The processes of Relais: ``serve`` (a tree of both), ``api`` and ``worker`` alone."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from waitress.server import create_server

from app.cli.family import Family, FamilyError, Role
from app.cli.first_start import first_keys
from app.cli.listening import listening
from app.cli.stopping import stoppable
from app.config import Settings, SettingsError
from app.core.catalogs import Registry
from app.core.errors import RelaisError
from app.factory import (
    Deployment,
    create_app,
    create_loop,
    create_schedule,
    metrics_port,
    open_deployment,
)
from app.system.logs import set_up_logging

# Larger bodies are refused before they are read; the API refuses at its own, lower caps.
_MAX_REQUEST_BYTES = 12 * 1024 * 1024
# Connections cost little, threads are only taken by whole requests; a proxy in front
# bounds those who send slowly on purpose (docs/settings.md).
_MAX_CONNECTIONS = 1_000
_IDLE_CONNECTION_S = 30
_CLEAN_UP_EVERY_S = 5
_STOPPING = "Stopping: finishing what is on the network."

_data = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder [default: ./var].",
)
_host = click.option("--host", help="The address to listen on [default: 127.0.0.1].")
_port = click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0: any [default: 8585]."
)


@click.command()
@_host
@_port
@_data
def serve(**overrides: Any) -> None:
    """Run everything: API, delivering worker and scheduler, until Ctrl-C.

    The first start makes the database, a key for your backend, and an account to try
    things with, and prints both keys.

    The API and the worker are processes of their own, children of this one: it starts
    either again should it die, and they end with it.
    """
    settings = _settings(overrides)
    with stoppable():
        if settings.is_in_memory:
            _serve_alone(settings)
        else:
            _serve_together(settings)


@click.command()
@_host
@_port
@_data
def api(**overrides: Any) -> None:
    """Run the API alone; `relais worker` delivers."""
    settings = _settings(overrides)
    with (
        stoppable(),
        _opened(settings) as deployment,
        listening(settings.host, settings.port) as sockets,
    ):
        _serve_api(deployment, sockets, lambda: _say_ready(sockets, settings))
        click.echo(_STOPPING)


@click.command()
@_data
def worker(**overrides: Any) -> None:
    """Run a delivering worker and the scheduler alone."""
    settings = _settings(overrides)
    with stoppable():
        try:
            with (
                _opened(settings, listens=True) as deployment,
                metrics_port(deployment),
                _delivering(deployment),
            ):
                click.echo("The worker delivers. Ctrl-C stops it.")
                threading.Event().wait()
        finally:
            click.echo(_STOPPING)


def _settings(overrides: dict[str, Any]) -> Settings:
    settings = Settings.from_env(**overrides)
    set_up_logging(log_format=settings.log_format, level=settings.log_level)
    return settings


@contextlib.contextmanager
def _opened(
    settings: Settings, registry: Registry | None = None, *, listens: bool = False
) -> Iterator[Deployment]:
    made = open_deployment(settings, listens=listens, registry=registry)
    with contextlib.closing(made) as deployment:
        yield deployment


# One process, for a store that lives in its memory.


def _serve_alone(settings: Settings) -> None:
    with (
        _opened(settings, listens=True) as deployment,
        listening(settings.host, settings.port) as sockets,
    ):
        _say_first_keys(deployment)
        with _delivering(deployment):
            _serve_api(deployment, sockets, lambda: _say_ready(sockets, settings))
            click.echo(_STOPPING)


# A tree of processes.


def _serve_together(settings: Settings) -> None:
    # What is opened here is closed before the first fork, but for the listening sockets:
    # an API process that is started again takes up the connections that wait meanwhile.
    with _opened(settings) as deployment:
        _say_first_keys(deployment)
        registry = deployment.context.registry
    with (
        listening(settings.host, settings.port) as sockets,
        Family(_roles(settings, registry, sockets)) as family,
    ):
        try:
            family.keep(lambda: _say_ready(sockets, settings))
        except FamilyError as problem:
            click.echo(f"relais: {problem}", err=True)
            sys.exit(1)
        finally:
            click.echo(_STOPPING)


def _roles(settings: Settings, registry: Registry, sockets: Sequence[socket.socket]) -> list[Role]:
    def serve_api(ready: Callable[[], None]) -> None:
        with _opened(settings, registry) as deployment:
            _serve_api(deployment, sockets, ready)

    def deliver(ready: Callable[[], None]) -> None:
        for one in sockets:
            one.close()
        _deliver(settings, registry, ready)

    apis = [Role("API", partial(_as_child, serve_api))] * settings.api_processes
    return apis + [Role("worker", partial(_as_child, deliver))] * settings.worker_processes


def _as_child(run: Callable[[Callable[[], None]], None], ready: Callable[[], None]) -> None:
    """Run until SIGTERM; what a person can mend is said in a line, not a traceback."""
    with stoppable():
        try:
            run(ready)
        except (RelaisError, SettingsError) as problem:
            click.echo(f"relais: {problem}", err=True)
            sys.exit(1)


# What each of them does.


def _deliver(settings: Settings, registry: Registry, ready: Callable[[], None]) -> None:
    with _opened(settings, registry, listens=True) as deployment, _delivering(deployment):
        ready()
        threading.Event().wait()


@contextlib.contextmanager
def _delivering(deployment: Deployment) -> Iterator[None]:
    """Deliver meanwhile; should a thread of it die, end the process with exit code 1.

    Whoever watches it starts it again then, and every lease it held runs out.
    """
    loop, schedule = create_loop(deployment), create_schedule(deployment)
    died = threading.Event()

    def end_process() -> None:
        died.set()
        os.kill(os.getpid(), signal.SIGTERM)

    with contextlib.ExitStack() as stack:
        stack.callback(lambda: sys.exit(1) if died.is_set() else None)
        loop.start(end_process)
        stack.callback(loop.stop)
        schedule.start()
        stack.callback(schedule.stop)
        yield


def _serve_api(
    deployment: Deployment, sockets: Sequence[socket.socket], ready: Callable[[], None]
) -> None:
    server = create_server(
        create_app(deployment),
        sockets=list(sockets),
        threads=deployment.settings.api_threads,
        max_request_body_size=_MAX_REQUEST_BYTES,
        ident=None,
        clear_untrusted_proxy_headers=True,
        connection_limit=_MAX_CONNECTIONS,
        channel_timeout=_IDLE_CONNECTION_S,
        cleanup_interval=_CLEAN_UP_EVERY_S,
    )
    ready()
    try:
        server.run()  # until the signal's SystemExit, which it takes
    finally:
        server.close()


# Saying so.


def _say_first_keys(deployment: Deployment) -> None:
    for line in first_keys(deployment.context):
        click.echo(line)


def _say_ready(sockets: Sequence[socket.socket], settings: Settings) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    click.echo(f"Relais is ready at http://{shown}:{sockets[0].getsockname()[1]}")
