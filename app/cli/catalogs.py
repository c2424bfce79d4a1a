"""``relais catalog``: check and list catalogs."""

from pathlib import Path

import click

from app.catalog import load_catalog, load_registry
from app.cli.local import table
from app.config import Settings


@click.group()
def catalog() -> None:
    """Check a catalog file; list what is served."""


@catalog.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Check a catalog FILE; every problem is named with file, line and key."""
    found = load_catalog(file)
    events = len(list(found.event_types()))
    click.echo(
        f"{file} is fine: catalog {found.key!r}, {len(found.triggers)} triggers, "
        f"{events} event types, {len(found.resources)} resource kinds."
    )


@catalog.command("list")
def list_() -> None:
    """List the triggers of the catalogs that the settings name."""
    registry = load_registry(Settings.from_env().catalogs)
    rows = [
        (
            one.catalog,
            one.key,
            one.label.en,
            ", ".join(event.name for event in one.events),
            "" if one.restriction is None else one.restriction.kind,
        )
        for one in registry.triggers()
    ]
    click.echo(table(rows, ("catalog", "trigger", "label", "event types", "restricted by")))
