"""The command line: ``relais …``. The only home of click."""

import sys
from importlib import import_module

import click

from app import __version__
from app.config import SettingsError
from app.core.errors import CatalogError, RelaisError
from relais_client import RelaisError as ClientError

# Every command and the module that has it, in the order of the help.
_COMMANDS = {
    "serve": "processes",
    "api": "processes",
    "worker": "processes",
    "account": "accounts",
    "key": "keys",
    "publish": "publish",
    "replay": "replay",
    "listen": "listen",
    "catalog": "catalogs",
    "connectors": "connectors",
    "openapi": "openapi",
    "settings": "settings",
    "simulate": "simulate",
    "demo": "demo",
}


class _Commands(click.Group):
    """Commands whose modules are imported when they are needed.

    The whole service takes seconds to import on a small machine, and `relais publish`
    needs none of it.
    """

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"app.cli.{_COMMANDS[name]}"), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relais")
def relais() -> None:
    """Relais: a self-hosted REST Hooks provider.

    Start with `relais serve`. Settings are RELAIS_… environment variables: `relais settings`
    lists them.
    """


def main() -> None:
    """Run the command line; what a person can mend is said in a line, not a traceback."""
    try:
        relais(prog_name="relais")
    except RelaisError as refused:
        _fail(
            refused.message,
            [f"{one.field}: {one.message}" for one in refused.problems if one.field],
        )
    except CatalogError as refused:
        _fail("The catalog cannot be used.", list(refused.problems))
    except (SettingsError, ClientError) as refused:
        _fail(str(refused), [])


def _fail(message: str, details: list[str]) -> None:
    click.echo(f"relais: {message}", err=True)
    for detail in details:
        click.echo(f"  {detail}", err=True)
    sys.exit(1)
