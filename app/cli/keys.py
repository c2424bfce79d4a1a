"""``relais key``: API keys from the operator's shell."""

from datetime import datetime, timedelta
from pathlib import Path

import click

from app.cli.local import data_option, local_context, table
from app.core.accounts import ApiKey
from app.core.clock import to_text
from app.services.keys import create_key, list_keys, revoke_key

_account = click.option("--account", help="An account's reference or id [a publisher key].")


@click.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command()
@click.option("--name", required=True, help="What it is for; people see it.")
@_account
@click.option("--days", type=click.IntRange(1, 3650), help="For how long it is valid [for ever].")
@data_option
def create(*, name: str, account: str | None, days: int | None, data_dir: Path | None) -> None:
    """Make a key and show it, once."""
    with local_context(data_dir) as context:
        expires_at = None if days is None else context.clock.now() + timedelta(days=days)
        made = create_key(context, name=name, account=account, expires_at=expires_at)
    click.echo(made.key)
    click.echo("Keep it: it is not shown again.", err=True)


@key.command("list")
@_account
@data_option
def list_(*, account: str | None, data_dir: Path | None) -> None:
    """List an account's keys, or the publisher keys."""
    with local_context(data_dir) as context:
        rows = [_row(one) for one in list_keys(context, account)]
    click.echo(table(rows, ("id", "begins with", "name", "made", "last used", "state")))


@key.command()
@click.argument("key_id")
@_account
@data_option
def revoke(*, key_id: str, account: str | None, data_dir: Path | None) -> None:
    """Revoke a key, by its id, at once."""
    with local_context(data_dir) as context:
        revoke_key(context, key_id, account=account)
    click.echo(f"{key_id} is revoked.")


def _row(one: ApiKey) -> tuple[str, ...]:
    if one.revoked_at is not None:
        state = f"revoked {_moment(one.revoked_at)}"
    elif one.expires_at is not None:
        state = f"expires {_moment(one.expires_at)}"
    else:
        state = "valid"
    used = "never" if one.last_used_at is None else _moment(one.last_used_at)
    return one.id, one.prefix, one.name, _moment(one.created_at), used, state


def _moment(moment: datetime) -> str:
    return to_text(moment)[:16].replace("T", " ")
