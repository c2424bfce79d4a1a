"""The commands that need no running Relais: catalogs, connectors, settings."""

import json
from pathlib import Path

import pytest

from app import __version__

PARCELS = Path(__file__).parents[2] / "docs" / "examples" / "parcels.catalog.yaml"


def test_a_good_catalog_is_fine(relais):
    checked = relais("catalog", "check", str(PARCELS))

    assert checked.code == 0
    assert f"{PARCELS} is fine: catalog 'parcels'" in checked.out


def test_one_of_something_is_singular(relais, tmp_path):
    small = tmp_path / "small.yaml"
    text, _, _ = PARCELS.read_text().partition("\n  parcel_moved:")
    small.write_text(text)

    checked = relais("catalog", "check", str(small))

    assert "1 trigger, 3 event types, 1 resource kind." in checked.out


def test_a_broken_catalog_is_refused_by_file_line_and_key(relais, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(PARCELS.read_text().replace("catalog: parcels", "catalog: Par cels"))

    checked = relais("catalog", "check", str(broken))

    line = 1 + broken.read_text().splitlines().index("catalog: Par cels")
    assert checked.code == 1
    assert "The catalog cannot be used." in checked.err
    assert f"broken.yaml:{line}: catalog" in checked.err


def test_the_list_shows_triggers_with_what_restricts_and_what_fires_them(relais):
    lines = relais("catalog", "list").out.splitlines()

    [at] = [n for n, line in enumerate(lines) if line.startswith("  changed_appointment ")]
    assert lines[0].startswith("bookings (")
    assert lines[at].endswith("(restricted by schedule)")
    assert "appointment.place" in lines[at + 1] + lines[at + 2]


def test_the_list_fits_a_terminal(relais):
    assert max(map(len, relais("catalog", "list").out.splitlines())) <= 100


def test_the_list_follows_the_settings(relais, monkeypatch):
    monkeypatch.setenv("RELAIS_CATALOGS", str(PARCELS))

    listed = relais("catalog", "list").out

    assert "parcels" in listed
    assert "bookings" not in listed


def test_the_zapier_data_is_built_into_a_folder(relais, tmp_path):
    built = relais("connectors", "build", "--out", str(tmp_path))

    assert built.out == f"Wrote {tmp_path / 'catalog.json'}.\n"
    assert json.loads((tmp_path / "catalog.json").read_text())


def test_settings_are_listed_with_their_defaults(relais):
    listed = relais("settings").out

    assert "RELAIS_PORT  [8585]" in listed
    assert "RELAIS_RETENTION_DAYS  [30]" in listed
    assert "RELAIS_PUBLIC_URL  [empty]" in listed


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("RELAIS_PORT", "http", "RELAIS_PORT='http': use a whole number from 0 to 65535."),
        ("RELAIS_PROT", "1", "RELAIS_PROT is not a setting of Relais; see docs/settings.md."),
        ("RELAIS_SECRET_KEYS", "k1:short", "The secret keys cannot be used. "),
        ("RELAIS_DATABASE_URL", "mysql://x", "RELAIS_DATABASE_URL: No engine for 'mysql'"),
    ],
)
def test_a_wrong_setting_is_one_line(relais, monkeypatch, variable, text, line):
    monkeypatch.setenv(variable, text)

    refused = relais("key", "list")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"relais: {line}")
    assert refused.err.count("\n") == 1


def test_a_data_folder_that_cannot_be_made_is_one_line(relais, tmp_path):
    (tmp_path / "file").write_text("")

    refused = relais("key", "list", "--data", str(tmp_path / "file" / "below"))

    assert refused.code == 1
    assert refused.err == f"relais: {tmp_path / 'file' / 'below'}: Not a directory.\n"


def test_every_command_explains_itself(relais):
    for command in ("serve", "api", "worker", "account", "key", "publish", "listen", "catalog"):
        helped = relais(command, "--help")

        assert helped.code == 0
        assert f"Usage: relais {command}" in helped.out


def test_the_version_is_that_of_the_package(relais):
    assert __version__ in relais("--version").out
