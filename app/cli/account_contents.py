"""What an account has, from the operator's shell: its overlay and its resources."""

from collections.abc import Mapping
from pathlib import Path

import click

from app.api.files import overlay_from, overlay_text, resources_from
from app.cli.local import data_option, local_context, table
from app.core.jsontypes import Json
from app.services.accounts import find_account, put_overlay
from app.services.resources import list_resources, put_resources

_PAGE = 200
_file = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)


@click.command()
@click.argument("reference")
@_file
@data_option
def overlay(reference: str, file: Path | None, data_dir: Path | None) -> None:
    """Show an account's optional fields, custom fields and forms, or set them.

    FILE is JSON as for PUT /accounts/{account}/overlay, and replaces all of them.
    """
    with local_context(data_dir) as context:
        found = find_account(context, reference)
        if file is not None:
            found = put_overlay(context, found.id, overlay_from(file.read_bytes()))
    click.echo(overlay_text(found.overlay))


@click.command()
@click.argument("reference")
@click.argument("kind")
@_file
@data_option
def resources(reference: str, kind: str, file: Path | None, data_dir: Path | None) -> None:
    """List an account's resources of a KIND, such as schedule, or set them.

    FILE is JSON as for PUT /accounts/{account}/resources/{kind}, and replaces all of them.
    """
    with local_context(data_dir) as context:
        account = find_account(context, reference)
        if file is not None:
            given = resources_from(file.read_bytes())
            put_resources(context, account.id, kind, given, replace=True)
        rows: list[tuple[str, ...]] = []
        more = True
        while more:
            page, more = list_resources(
                context, account.id, kind, search="", limit=_PAGE, offset=len(rows)
            )
            rows += [(one.id, one.label, _facts(one.attributes)) for one in page]
    click.echo(table(rows, ("id", "label", "attributes")))


def _facts(attributes: Mapping[str, Json]) -> str:

    return ", ".join(f"{key}={value}" for key, value in attributes.items())
