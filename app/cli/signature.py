"""The signing secret as an option, and what it says about a request that came."""

from collections.abc import Mapping

import click

from app.cli.text import printable
from relais_client.verify import VerificationError, verify


def _readable(_context: click.Context, _option: click.Parameter, secret: str | None) -> str | None:
    """Return the secret; raises BadParameter where nothing can be verified with it."""
    if secret is not None:
        try:
            verify(secret, {}, b"")
        except VerificationError:
            pass  # there is no request, of course; but the secret was read
        except ValueError as problem:
            raise click.BadParameter(str(problem)) from problem
    return secret


secret_option = click.option(
    "--secret",
    envvar="RELAIS_WEBHOOK_SECRET",
    callback=_readable,
    help="The signing secret, for a subscription that was made elsewhere.",
)


def verdict(secret: str | None, headers: Mapping[str, str], body: bytes) -> str:
    """Return in a few words whether the request was signed with ``secret``."""
    if secret is None:
        return "not checked: give the --secret"
    try:
        verify(secret, headers, body)
    except VerificationError as problem:
        return f"BAD: {printable(str(problem))}"
    return "ok"
