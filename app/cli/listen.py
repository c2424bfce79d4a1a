"""``relais listen``: receive here, and read what Relais sends."""

import contextlib
import json
from http import HTTPStatus

import click

from app.cli.own_subscription import OwnSubscription, subscribed
from app.cli.receiver import Arrival, LocalReceiver
from app.cli.remote import url_option, without_empty
from app.cli.signature import secret_option, verdict
from app.cli.stopping import interruptible
from app.cli.text import printable
from relais_client.wire import Json

_PATH = "/hook"
# How long Relais may take to act on an answer.
_END_S = 5.0


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one [0].")
@click.option("--trigger", help="Subscribe to this trigger, and end that afterwards.")
@click.option("--filters", metavar="JSON", help='As {"event": ["destroy"]}.')
@click.option("--resource", "resources", multiple=True, help="Only this one; repeat for several.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many requests.")
@click.option(
    "--answer",
    type=click.IntRange(200, 599),
    default=HTTPStatus.NO_CONTENT.value,
    help="The status to answer with: 500 to see retries, 410 to see a subscription end [204].",
)
@secret_option
@url_option
@click.option("--key", envvar="RELAIS_KEY", show_envvar=True, help="An account key.")
def listen(  # noqa: PLR0913 - one an option
    *,
    port: int,
    trigger: str | None,
    filters: str | None,
    resources: tuple[str, ...],
    count: int | None,
    answer: int,
    secret: str | None,
    url: str,
    key: str | None,
) -> None:
    """Receive on 127.0.0.1 and print every request, until Ctrl-C.

    With --trigger it subscribes itself first, and stops when its own answer ended that.
    Relais must allow targets on this machine: RELAIS_ALLOWED_NETWORKS=127.0.0.0/8, as
    `make run` has it.
    """
    wish = _wish(trigger, filters, resources)
    with contextlib.suppress(KeyboardInterrupt), interruptible(), _receiver(port, answer) as here:
        if wish is None:
            click.echo(f"Listening at {here.url}{_PATH}. Nothing was subscribed.")
            _print_arrivals(here, count, secret, answer)
            return
        with subscribed({**wish, "target_url": here.url + _PATH}, url, key) as own:
            click.echo(f"Listening at {here.url}{_PATH}, subscribed to {trigger}.")
            _print_arrivals(here, count, own.secret, answer, own)


def _wish(trigger: str | None, filters: str | None, resources: tuple[str, ...]) -> Json:
    if trigger is None:
        if filters or resources:
            raise click.UsageError("--filters and --resource need a --trigger.")
        return None
    try:
        wanted = None if filters is None else json.loads(filters)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--filters") from problem
    return without_empty(
        trigger=trigger, filters=wanted, resource_ids=list(resources), name="relais listen"
    )


def _receiver(port: int, answer: int) -> LocalReceiver:
    try:
        return LocalReceiver(port=port, status=answer)
    except OSError as problem:
        raise click.ClickException(f"Port {port} cannot be used: {problem.strerror}.") from problem


def _print_arrivals(
    receiver: LocalReceiver,
    count: int | None,
    secret: str | None,
    answer: int,
    own: OwnSubscription | None = None,
) -> None:
    seen = 0
    while count is None or seen < count:
        arrival = receiver.arrivals.get()
        seen += 1
        click.echo(_described(arrival, secret, answer))
        if own is not None and answer == HTTPStatus.GONE and own.ends_within(_END_S):
            click.echo(f"\nThe subscription has ended, since this receiver answered {answer}.")
            return


def _described(arrival: Arrival, secret: str | None, answer: int) -> str:
    moment = arrival.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    webhook_id = printable(arrival.headers.get("webhook-id", "(none)"))
    signature = verdict(secret, arrival.headers, arrival.body)
    return "\n".join(
        (
            "",
            f"{moment}  {arrival.method} {printable(arrival.path)}, answered {answer}",
            f"webhook-id {webhook_id}, signature {signature}",
            _pretty(arrival.body),
        )
    )


def _pretty(body: bytes) -> str:
    try:
        return printable(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
    except ValueError:
        return printable(body.decode(errors="backslashreplace"))
