"""``relais account``: accounts from the operator's shell."""

from pathlib import Path

import click

from app.cli.account_contents import overlay, resources
from app.cli.local import data_option, local_context, table
from app.core.accounts import Account
from app.core.fields import LANGUAGES
from app.services.accounts import (
    AccountChange,
    change_account,
    create_account,
    find_account,
    list_accounts,
)

_PAGE = 100
_feature = click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME=on|off",
    help="Switch a feature; repeat for several.",
)
_language = click.option("--language", type=click.Choice(LANGUAGES), help="Of derived texts.")
_catalog = click.option("--catalog", "catalogs", multiple=True, help="A product it uses [all].")


@click.group()
def account() -> None:
    """Make, list and change accounts (your customers)."""


@account.command()
@click.argument("reference")
@click.option("--name", help="Its name [the reference].")
@_language
@_catalog
@_feature
@data_option
def create(
    reference: str,
    *,
    name: str | None,
    language: str | None,
    catalogs: tuple[str, ...],
    features: tuple[str, ...],
    data_dir: Path | None,
) -> None:
    """Make an account. REFERENCE is your own id for it."""
    change = AccountChange(
        name=name, language=language, catalogs=catalogs or None, features=_switches(features)
    )
    with local_context(data_dir) as context:
        made = create_account(context, reference, change)
    click.echo(_described(made))


@account.command("list")
@data_option
def list_(data_dir: Path | None) -> None:
    """List every account."""
    rows: list[tuple[str, ...]] = []
    with local_context(data_dir) as context:
        cursor: str | None = None
        while True:
            page = list_accounts(context, limit=_PAGE, cursor=cursor)
            rows += [_row(one) for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    click.echo(table(rows, ("reference", "id", "name", "on", "catalogs")))


@account.command()
@click.argument("reference")
@data_option
def show(reference: str, data_dir: Path | None) -> None:
    """Show one account, by reference or id."""
    with local_context(data_dir) as context:
        click.echo(_described(find_account(context, reference)))


@account.command("set")
@click.argument("reference")
@click.option("--name", help="Its new name.")
@click.option("--enabled/--disabled", default=None, help="The main switch: whether anything fires.")
@_language
@_catalog
@_feature
@data_option
def set_(
    reference: str,
    *,
    name: str | None,
    enabled: bool | None,
    language: str | None,
    catalogs: tuple[str, ...],
    features: tuple[str, ...],
    data_dir: Path | None,
) -> None:
    """Change an account, by reference or id."""
    change = AccountChange(
        name=name,
        enabled=enabled,
        language=language,
        catalogs=catalogs or None,
        features=_switches(features),
    )
    with local_context(data_dir) as context:
        click.echo(_described(change_account(context, reference, change)))


account.add_command(overlay)
account.add_command(resources)


def _switches(given: tuple[str, ...]) -> dict[str, bool]:
    switches: dict[str, bool] = {}
    for one in given:
        name, _, value = one.partition("=")
        if value not in ("on", "off"):
            raise click.BadParameter(f"{one!r}: write NAME=on or NAME=off", param_hint="--feature")
        switches[name] = value == "on"
    return switches


def _row(one: Account) -> tuple[str, ...]:
    on = "yes" if one.enabled else "no"
    return one.reference, one.id, one.name, on, ", ".join(one.catalogs) or "all"


def _described(one: Account) -> str:
    features = ", ".join(f"{key}={'on' if on else 'off'}" for key, on in one.features.items())
    lines = {
        "reference": one.reference,
        "id": one.id,
        "name": one.name,
        "enabled": "yes" if one.enabled else "no",
        "language": one.language,
        "catalogs": ", ".join(one.catalogs) or "all",
        "features": features or "as the catalogs say",
    }
    return "\n".join(f"{key + ':':10} {value}" for key, value in lines.items())
