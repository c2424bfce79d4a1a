"""``relais catalog``: check and list catalogs."""

from collections.abc import Iterator
from pathlib import Path

import click

from app.catalog import load_catalog, load_registry
from app.cli.text import counted, pad, width, wrap
from app.config import Settings
from app.core.catalogs import Catalog

_COLUMNS = 100
_INDENT = " " * 6


@click.group()
def catalog() -> None:
    """Check a catalog file; list what is served."""


@catalog.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Check a catalog FILE; every problem is named with file, line and key."""
    found = load_catalog(file)
    parts = (
        counted(len(found.triggers), "trigger"),
        counted(len(list(found.event_types())), "event type"),
        counted(len(found.resources), "resource kind"),
    )
    click.echo(f"{file} is fine: catalog {found.key!r}, {', '.join(parts)}.")


@catalog.command("list")
def list_() -> None:
    """List the triggers of the catalogs that the settings name."""
    registry = load_registry(Settings.from_env().catalogs)
    for one in registry.products.values():
        for line in _listed(one):
            click.echo(line)


def _listed(one: Catalog) -> Iterator[str]:
    """Yield a catalog's triggers, each with the event types that fire it below it."""
    yield f"{one.key} ({one.name.en})"
    columns = max(width(trigger.key) for trigger in one.triggers.values())
    for trigger in one.triggers.values():
        restriction = trigger.restriction
        by = "" if restriction is None else f" (restricted by {restriction.kind})"
        yield f"  {pad(trigger.key, columns)}  {trigger.label.en}{by}"
        events = ", ".join(event.name for event in trigger.events)
        yield from (_INDENT + line for line in wrap(events, _COLUMNS - len(_INDENT)))
    yield ""
