"""``relais simulate``: a subscriber on this machine that behaves like a platform."""

import contextlib
import queue
import sys
import threading

import click

from app.cli.signature import secret_option, verdict
from app.cli.stopping import interruptible
from app.cli.text import pad, printable
from app.platforms import PLATFORMS
from app.simulators import Arrival, ScriptError, State, Subscriber

_DASHED = {platform.key.replace("_", "-"): platform.key for platform in PLATFORMS}


@click.command()
@click.argument("platform", type=click.Choice(list(_DASHED)))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one [0].")
@click.option(
    "--script",
    default="on",
    metavar="STATES",
    show_default=True,
    help="The states to go through, each with its number of requests: on:3,off:2,on. "
    f"The last one lasts. Of {', '.join(State)}.",
)
@click.option(
    "--retry-after",
    "retry_after_s",
    type=click.IntRange(0, 86_400),
    default=5,
    show_default=True,
    help="The seconds that the state 429 asks for.",
)
@click.option(
    "--slow",
    "slow_s",
    type=click.FloatRange(0, 3_600),
    default=3.0,
    show_default=True,
    help="The seconds that the state slow takes.",
)
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many requests.")
@secret_option
def simulate(
    *,
    platform: str,
    port: int,
    script: str,
    retry_after_s: int,
    slow_s: float,
    count: int | None,
    secret: str | None,
) -> None:
    """Answer on 127.0.0.1 as PLATFORM does when it is on, off, deleted, too busy or slow.

    Each request is told in a line. Type a state, or a script, to switch. Subscribe with
    the URL and with the platform, which cannot be seen from a URL on this machine. Relais
    must allow targets there: RELAIS_ALLOWED_NETWORKS=127.0.0.0/8, as `make run` has it.
    """
    came: queue.Queue[Arrival] = queue.Queue()
    key = _DASHED[platform]
    try:
        subscriber = Subscriber(
            key,
            script,
            port=port,
            retry_after_s=retry_after_s,
            slow_s=slow_s,
            on_arrival=came.put,
        )
    except ScriptError as problem:
        raise click.BadParameter(str(problem), param_hint="--script") from problem
    except OSError as problem:
        raise click.ClickException(f"Port {port} cannot be used: {problem.strerror}.") from problem
    with contextlib.suppress(KeyboardInterrupt), interruptible(), subscriber:
        name = next(one.name for one in PLATFORMS if one.key == key)
        click.echo(f'{name} at {subscriber.url}, platform "{key}": {subscriber.state}')
        threading.Thread(target=_obey, args=[subscriber], daemon=True).start()
        _tell(came, count, secret)


def _obey(subscriber: Subscriber) -> None:
    for line in sys.stdin:
        wanted = line.strip()
        if not wanted:
            continue
        try:
            subscriber.switch(wanted)
        except ScriptError as problem:
            click.echo(printable(str(problem)), err=True)
        else:
            click.echo(f"Now {subscriber.state}.")


def _tell(came: "queue.Queue[Arrival]", count: int | None, secret: str | None) -> None:
    seen = 0
    while count is None or seen < count:
        click.echo(_line(came.get(), secret))
        seen += 1


def _line(arrival: Arrival, secret: str | None) -> str:
    moment = arrival.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    columns = [
        moment,
        pad(arrival.method, 6),
        pad(printable(arrival.event).replace("\n", " "), 36),
        pad(f"{arrival.state}, answered {arrival.status}", 24),
    ]
    if secret is not None:
        columns.append(f"signature {verdict(secret, arrival.headers, arrival.body)}")
    return "  ".join(columns).rstrip()
