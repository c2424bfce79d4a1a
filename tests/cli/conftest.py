"""The command line in this process: `relais("account", "list")` runs it and says what came."""

import io
import os
import sys
from dataclasses import dataclass

import pytest

from app.cli import main


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def relais(tmp_path, monkeypatch, capsys):
    for name in os.environ:  # noqa: TID251 - a test sets the stage for app.config
        if name.startswith("RELAIS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RELAIS_DATA_DIR", str(tmp_path / "data"))

    def run(*args, stdin=""):
        monkeypatch.setattr(sys, "argv", ["relais", *args])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ran(code=ended.value.code or 0, out=said.out, err=said.err)

    return run
