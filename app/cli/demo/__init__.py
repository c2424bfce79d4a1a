"""``relais demo``: a day of four products, from the publisher to the receiver."""

import contextlib

import click

from app.cli.demo.day import load_day
from app.cli.demo.instance import throwaway_instance
from app.cli.demo.report import print_report
from app.cli.demo.run import run_day
from app.cli.receiver import LocalReceiver
from app.cli.stopping import interruptible
from app.core.fields import LANGUAGES


@click.command()
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Of the reasons and labels [each account's own].",
)
def demo(language: str | None) -> None:
    """Watch a day of four products on a throw-away Relais.

    It makes the accounts and webhooks of examples/, publishes their events, and shows
    what fired, what did not, and why. Nothing is left behind.
    """
    day = load_day()
    with contextlib.ExitStack() as stack:
        stack.enter_context(interruptible())
        receiver = stack.enter_context(LocalReceiver())
        instance = stack.enter_context(throwaway_instance())
        print_report(run_day(day, instance, receiver, language=language))
