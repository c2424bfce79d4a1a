"""``relais openapi``: the API's description."""

import tempfile
from pathlib import Path

import click
import yaml

from app.api.openapi import openapi_document
from app.config import Settings
from app.factory import create_app, open_deployment


@click.command()
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file."
)
def openapi(write: Path | None) -> None:
    """Print the OpenAPI 3.1 description of the API, or write it to a file."""
    text = openapi_text()
    if write is None:
        click.echo(text, nl=False)
    else:
        write.write_text(text)
        click.echo(f"Wrote {write}.")


def openapi_text() -> str:
    """Return the description as YAML; it is the same on every machine."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env({}, data_dir=Path(folder), database_url="sqlite://")
        deployment = open_deployment(settings)
        try:
            document = openapi_document(create_app(deployment))
        finally:
            deployment.close()
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
