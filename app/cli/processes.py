"""The processes of Relais: ``serve`` (all in one), ``api`` and ``worker`` apart."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from waitress.server import create_server

from app.cli.first_start import first_keys
from app.cli.stopping import stoppable
from app.config import Settings, SettingsError
from app.factory import Deployment, create_app, create_loop, create_schedule, open_deployment
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
    """
    with _deployment(overrides, listens=True) as deployment:
        for line in first_keys(deployment.context):
            click.echo(line)
        with _delivering(deployment):
            _serve_api(deployment)


@click.command()
@_host
@_port
@_data
def api(**overrides: Any) -> None:
    """Run the API alone; `relais worker` delivers."""
    with _deployment(overrides, listens=False) as deployment:
        _serve_api(deployment)


@click.command()
@_data
def worker(**overrides: Any) -> None:
    """Run a delivering worker and the scheduler alone."""
    with _deployment(overrides, listens=True) as deployment, _delivering(deployment):
        click.echo("The worker delivers. Ctrl-C stops it.")
        try:
            threading.Event().wait()
        finally:
            click.echo(_STOPPING)


@contextlib.contextmanager
def _deployment(overrides: dict[str, Any], *, listens: bool) -> Iterator[Deployment]:
    """Open the deployment for a process that ends by a signal, whenever that comes."""
    settings = Settings.from_env(**overrides)
    set_up_logging(log_format=settings.log_format, level=settings.log_level)
    with (
        stoppable(),
        contextlib.closing(open_deployment(settings, listens=listens)) as deployment,
    ):
        yield deployment


@contextlib.contextmanager
def _delivering(deployment: Deployment) -> Iterator[None]:
    """Deliver meanwhile; should a thread of it die, end the process with exit code 1.

    A supervisor starts the process again then, and every lease it held runs out.
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


def _serve_api(deployment: Deployment) -> None:
    host = deployment.settings.host
    server = _server(deployment)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Relais is ready at http://{shown}:{_port_of(server)}")
    try:
        server.run()  # until the signal's SystemExit, which it takes
        click.echo(_STOPPING)
    finally:
        server.close()


def _server(deployment: Deployment) -> Any:
    settings = deployment.settings
    try:
        return create_server(
            create_app(deployment),
            host=settings.host,
            port=settings.port,
            threads=settings.api_threads,
            max_request_body_size=_MAX_REQUEST_BYTES,
            ident=None,
            clear_untrusted_proxy_headers=True,
            connection_limit=_MAX_CONNECTIONS,
            channel_timeout=_IDLE_CONNECTION_S,
            cleanup_interval=_CLEAN_UP_EVERY_S,
        )
    except OSError as problem:
        where = f"{settings.host}, port {settings.port}"
        raise SettingsError(f"Cannot listen on {where}: {problem.strerror}.") from problem


def _port_of(server: Any) -> int:
    """Return the port; a name such as localhost can stand for several addresses."""
    several = getattr(server, "effective_listen", None)
    return int(several[0][1] if several else server.effective_port)
