"""``relais replay``: send again what failed, send at last what was missed."""

from datetime import datetime

import click

from app.cli.remote import publisher, url_option
from app.core.clock import parse, to_text
from relais_client import Replay, ReplayCount
from relais_client.replays import ReplayKind


class _Moment(click.ParamType[datetime]):
    """A moment: ISO 8601 with an offset."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment."""
        moment = parse(value) if isinstance(value, str) else value
        if moment is None:
            self.fail(f"{value!r} is no time such as 2031-03-04T18:00:00+01:00.", param, ctx)
        return moment


@click.command()
@click.argument("subscription", metavar="SUBSCRIPTION")
@click.option("--since", type=_Moment(), required=True, help="From this moment on.")
@click.option("--until", type=_Moment(), help="Until just before this moment [now].")
@click.option(
    "--only",
    type=click.Choice(["failed", "missed", "all"]),
    default="failed",
    show_default=True,
    help="What failed, what it never got, or all of it once more.",
)
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--account", help="Whose it is, by reference or id; for a publisher key.")
@url_option
@click.option(
    "--key",
    envvar="RELAIS_KEY",
    required=True,
    show_envvar=True,
    help="A key of the account, or a publisher key.",
)
def replay(
    *,
    subscription: str,
    since: datetime,
    until: datetime | None,
    only: ReplayKind,
    dry_run: bool,
    account: str | None,
    url: str,
    key: str,
) -> None:
    """Send the events of a range of time to SUBSCRIPTION (sub_…) again, or at last.

    It goes on by itself, at the subscription's pace, also after this command has ended.
    """
    with publisher(url, key) as relais:
        if dry_run:
            count = relais.count_replay(
                subscription, since=since, until=until, only=only, account=account
            )
            click.echo(_count_line(count))
            return
        started = relais.start_replay(
            subscription, since=since, until=until, only=only, account=account
        )
    click.echo(_started_line(started))


def _count_line(count: ReplayCount) -> str:
    least = "at least " if count.is_partial else ""
    return f"It would send {least}{_deliveries(count.found)}. Nothing was sent."


def _started_line(started: Replay) -> str:
    until = to_text(started.until)
    return f"Started {started.id}: {_deliveries(started.found)} or more, up to {until}."


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"
