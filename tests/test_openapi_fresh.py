"""openapi.yaml says what the code serves."""

from pathlib import Path

from app.cli.openapi import openapi_text

ROOT = Path(__file__).parents[1]


def test_openapi_yaml_is_what_the_code_serves():
    written = (ROOT / "openapi.yaml").read_text(encoding="utf-8")

    assert written == openapi_text(), "run `make openapi`"
