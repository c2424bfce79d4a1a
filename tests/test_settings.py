"""Settings: what the environment may say, and that docs/settings.md says the same."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.cli.settings import settings_table
from app.config import CLIENT_VARIABLES, Settings, SettingsError, environment_with
from app.core.errors import FieldProblem
from app.core.target_urls import check_target_url
from app.services.context import PayloadChecks

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


def test_the_docs_have_every_setting_as_the_command_prints_it():
    assert settings_table() in DOCS.read_text()


def test_the_docs_have_the_variables_that_others_read():
    _, _, others = DOCS.read_text().partition("## Read by others")

    assert set(re.findall(r"^\| `(RELAIS_\w+)`", others, re.MULTILINE)) == CLIENT_VARIABLES


def test_without_variables_nothing_private_is_open():
    settings = Settings.from_env({})

    assert settings.host == "127.0.0.1"
    assert settings.allowed_networks == ()
    assert not settings.url_rules.allow_http
    assert settings.payload_checks is PayloadChecks.REJECT
    assert settings.sqlite_synchronous == "full"


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("RELAIS_PORT", "9000", "port", 9000),
        ("RELAIS_RETENTION_DAYS", "7", "retention", timedelta(days=7)),
        ("RELAIS_ALLOW_HTTP", "Yes", "allow_http", True),
        ("RELAIS_NAT64", "0", "nat64", False),
        ("RELAIS_ALLOWED_PORTS", "443, 8443", "allowed_ports", frozenset({443, 8443})),
        ("RELAIS_PAYLOAD_CHECKS", "warn", "payload_checks", PayloadChecks.WARN),
        ("RELAIS_CATALOGS", "a.yaml,b.yaml", "catalogs", (Path("a.yaml"), Path("b.yaml"))),
        (
            "RELAIS_PUBLIC_URL",
            "https://hooks.example.com/",
            "public_url",
            "https://hooks.example.com",
        ),
        (
            "RELAIS_ALLOWED_NETWORKS",
            "10.20.0.0/16, fd00::/8",
            "allowed_networks",
            (ip_network("10.20.0.0/16"), ip_network("fd00::/8")),
        ),
    ],
)
def test_a_variable_sets_its_setting(variable, text, name, value):
    settings = Settings.from_env({variable: text})

    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("RELAIS_PORT", "http", "a whole number from 0 to 65535"),
        ("RELAIS_PORT", "65536", "a whole number from 0 to 65535"),
        ("RELAIS_RETENTION_DAYS", "0", "a whole number from 1 to 3650"),
        ("RELAIS_ALLOW_HTTP", "perhaps", "true or false"),
        ("RELAIS_ALLOWED_NETWORKS", "10.20.0.1/16", "host bits"),
        ("RELAIS_ALLOWED_PORTS", "443,0", "a whole number from 1 to 65535"),
        ("RELAIS_SQLITE_SYNCHRONOUS", "off", "full, normal"),
        ("RELAIS_PAYLOAD_CHECKS", "maybe", "off, warn, reject"),
        ("RELAIS_PUBLIC_URL", "hooks.example.com", "https://"),
        ("RELAIS_LOG_FORMAT", "xml", "text, json"),
        ("RELAIS_LOG_LEVEL", "INFO", "debug, info"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name_with_the_reason(variable, text, reason):
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({variable: text})

    assert variable in str(refused.value)
    assert reason in str(refused.value)


def test_an_unknown_variable_is_refused():
    with pytest.raises(SettingsError, match="RELAIS_PROT is not a setting"):
        Settings.from_env({"RELAIS_PROT": "9000"})


def test_variables_of_others_are_left_alone():
    others = dict.fromkeys(CLIENT_VARIABLES, "x") | {"PATH": "/bin", "RELAIS": "http://127.0.0.1"}

    assert Settings.from_env(others) == Settings.from_env({})


def test_an_empty_variable_is_not_set():
    assert Settings.from_env({"RELAIS_PORT": ""}).port == Settings.from_env({}).port


def test_the_command_line_wins_where_it_says_something():
    settings = Settings.from_env({"RELAIS_PORT": "9000", "RELAIS_HOST": "::1"}, port=0, host=None)

    assert (settings.port, settings.host) == (0, "::1")


def test_our_own_public_name_is_no_target():
    settings = Settings.from_env({"RELAIS_PUBLIC_URL": "https://hooks.example.com/relais"})

    assert "hooks.example.com" in settings.url_rules.own_hosts


def test_the_database_is_in_the_data_folder_unless_named(tmp_path):
    own = Settings.from_env({"RELAIS_DATA_DIR": str(tmp_path)})
    named = Settings.from_env({"RELAIS_DATABASE_URL": "sqlite:///elsewhere.db"})

    assert own.store_url == f"sqlite:///{tmp_path / 'relais.db'}"
    assert named.store_url == "sqlite:///elsewhere.db"


def test_a_trial_takes_over_nothing_from_the_operators_settings(monkeypatch):
    monkeypatch.setenv("RELAIS_DATABASE_URL", "sqlite:///production.db")
    monkeypatch.setenv("RELAIS_PORT", "9000")

    environment = environment_with(RELAIS_PORT="0")

    assert {name: one for name, one in environment.items() if name.startswith("RELAIS_")} == {
        "RELAIS_PORT": "0"
    }
    assert "PATH" in environment


def test_the_address_that_we_listen_on_is_no_target():
    rules = Settings.from_env({"RELAIS_PORT": "9000", "RELAIS_ALLOWED_NETWORKS": "127.0.0.0/8"})

    for url in ("http://127.0.0.1:9000/api/v1/events", "http://localhost:9000/"):
        assert check_target_url(url, rules.url_rules).code == "self_target"
    assert not isinstance(check_target_url("http://127.0.0.1:9001/", rules.url_rules), FieldProblem)
