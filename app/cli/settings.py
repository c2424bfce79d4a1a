"""``relais settings``: every setting, its default and what it is now."""

from dataclasses import fields

import click

from app.config import Settings, default_text, variable


@click.command()
@click.option("--markdown", is_flag=True, help="As the table of docs/settings.md.")
def settings(markdown: bool) -> None:
    """List every setting with its default."""
    if markdown:
        click.echo(settings_table(), nl=False)
        return
    for one in fields(Settings):
        click.echo(f"{variable(one)}  [{default_text(one) or 'empty'}]")
        click.echo(f"    {one.metadata['help']}")


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    rows = [
        f"| `{variable(one)}` | {_code(default_text(one))} | {one.metadata['help']} |"
        for one in fields(Settings)
    ]
    return "\n".join(["| Variable | Default | Meaning |", "| --- | --- | --- |", *rows]) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
