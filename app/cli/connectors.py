"""``relais connectors``: write what the platforms' apps are built from."""

from pathlib import Path

import click

from app.catalog import load_registry
from app.config import Settings
from app.services.connectors import UNBRANDED, Brand, zapier_catalog_text


@click.group()
def connectors() -> None:
    """Build the connectors' data from the catalogs."""


@connectors.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path("zapier_app"),
    show_default=True,
    help="The folder of the Zapier app.",
)
@click.option("--name", default=UNBRANDED.name, show_default=True, help="Your product's name.")
@click.option("--base-url", help="Where your Relais is reached; users are not asked for it then.")
@click.option("--help-url", default=UNBRANDED.help_url, help="Where users read about API keys.")
def build(out: Path, *, name: str, base_url: str | None, help_url: str) -> None:
    """Write the Zapier app's catalog.json from the catalogs that the settings name."""
    registry = load_registry(Settings.from_env().catalogs)
    brand = Brand(name=name, base_url=base_url, help_url=help_url)
    path = out / "catalog.json"
    path.write_text(zapier_catalog_text(registry, brand), encoding="utf-8")
    click.echo(f"Wrote {path}.")
