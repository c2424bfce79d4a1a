"""Commands that work on the store directly, as an operator on the machine does."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from app.cli.text import pad, width
from app.config import Settings
from app.factory import open_deployment
from app.services.context import Context

data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder [default: ./var].",
)


@contextlib.contextmanager
def local_context(data_dir: Path | None) -> Iterator[Context]:
    """Open the deployment that the environment and ``--data`` name."""
    deployment = open_deployment(Settings.from_env(data_dir=data_dir))
    try:
        yield deployment.context
    finally:
        deployment.close()


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...]) -> str:
    """Return rows as aligned columns under a header."""
    widths = [max(width(row[index]) for row in [header, *rows]) for index in range(len(header))]
    lines = [header, tuple("-" * columns for columns in widths), *rows]
    return "\n".join("  ".join(map(pad, line, widths)).rstrip() for line in lines)
