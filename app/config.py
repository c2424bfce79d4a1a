"""Settings: everything an operator can turn, read once from ``RELAIS_*`` variables.

This is the only module that reads the environment. Each setting is one field here and
one row in docs/settings.md (a test compares them).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self

from app.core.addresses import IpNetwork
from app.core.target_urls import DEFAULT_ALLOWED_PORTS, UrlRules
from app.services.context import PayloadChecks


class SettingsError(Exception):
    """An environment variable that makes no sense; the message says which and why."""


def _setting(
    default: Any, read: Callable[[str], Any], help_text: str, *, secret: bool = False
) -> Any:
    metadata = {"read": read, "help": help_text}
    if callable(default):
        return field(default_factory=default, metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"use one of {', '.join(allowed)}")
        return text

    return read


def _base_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("use an address that begins with https:// or http://")
    return text.rstrip("/")


def _existing_file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError("there is no such file")
    return text


def _switch(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("use true or false")
    return known[text.lower()]


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"use a whole number from {low} to {high}")
        return int(text)

    return read


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _networks(text: str) -> tuple[IpNetwork, ...]:
    return tuple(ip_network(part) for part in _parts(text))


def _ports(text: str) -> frozenset[int]:
    return frozenset(_whole(1, 65535)(part) for part in _parts(text))


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in _parts(text))


def _nothing() -> tuple[()]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an operator can turn. Defaults are safe for production."""

    data_dir: Path = _setting(
        lambda: Path("var"),
        Path,
        "The folder of the SQLite database and the key file.",
    )
    database_url: str = _setting(
        "",
        str,
        "The database. Empty: SQLite, `relais.db` in the data folder. For several machines: "
        "`postgresql://user:password@host/name`.",
        secret=True,
    )
    sqlite_synchronous: str = _setting(
        "full",
        _one_of("full", "normal"),
        "`full`: what was accepted survives a power cut. `normal`: faster, it survives a "
        "crash of the process only. Not for PostgreSQL, which has a setting of its own.",
    )
    secret_keys: str = _setting(
        "",
        str,
        "Keys that encrypt signing secrets in the database: `id:base64` of 32 bytes, several "
        "separated by commas, the first one writes. Empty: the file `secret.keys` in the data "
        "folder, made at the first start.",
        secret=True,
    )
    catalogs: tuple[Path, ...] = _setting(
        _nothing,
        _paths,
        "Catalog files to serve, separated by commas. Empty: the four that ship with Relais.",
    )
    public_url: str = _setting(
        "",
        _base_url,
        "The address that subscribers reach the API at, such as `https://hooks.example.com`. "
        "Empty: that of each request.",
    )
    host: str = _setting("127.0.0.1", str, "The address that the API listens on.")
    port: int = _setting(8585, _whole(0, 65535), "The port that the API listens on; 0: any free.")
    metrics_port: int = _setting(
        0,
        _whole(0, 65535),
        "A port on 127.0.0.1 for `/metrics` alone, for a machine with workers and no API; 0: none.",
    )
    api_threads: int = _setting(32, _whole(1, 256), "How many requests the API works on at once.")
    api_processes: int = _setting(
        1, _whole(1, 64), "How many processes of `relais serve` answer requests to the API."
    )
    worker_processes: int = _setting(
        1, _whole(1, 64), "How many processes of `relais serve` deliver."
    )
    allowed_networks: tuple[IpNetwork, ...] = _setting(
        _nothing,
        _networks,
        "Private networks that target URLs may be in, separated by commas, such as `10.20.0.0/16`; "
        "`127.0.0.0/8` for local trials. Everything private is refused otherwise.",
    )
    allow_http: bool = _setting(False, _switch, "Whether target URLs may use plain http.")
    allowed_ports: frozenset[int] = _setting(
        lambda: DEFAULT_ALLOWED_PORTS, _ports, "Ports that target URLs may use, with commas."
    )
    nat64: bool = _setting(
        False, _switch, "Whether 64:ff9b::/96 is judged by the IPv4 address inside (DNS64)."
    )
    ca_file: str = _setting(
        "", _existing_file, "Certificate authorities to trust, in PEM. Empty: the system's."
    )
    payload_checks: PayloadChecks = _setting(
        PayloadChecks.REJECT,
        lambda text: PayloadChecks(_one_of(*PayloadChecks)(text)),
        "What happens to published data with a value of another type than the catalog says: "
        "`reject` it, `warn` the publisher, or `off`. A value that an enumeration does not "
        "know is only a warning, and keys that the catalog does not know are not delivered.",
    )
    max_subscriptions_per_account: int = _setting(
        1_000, _whole(1, 1_000_000), "How many subscriptions an account may have."
    )
    worker_slots: int = _setting(
        512, _whole(1, 10_000), "How many requests a worker has on the network at once."
    )
    subscription_slots: int = _setting(
        128,
        _whole(1, 10_000),
        "How many of a worker's requests may be for one subscription at once, at most. A "
        "receiver that is slow, or hangs, gets fewer by itself.",
    )
    delivery_timeout_seconds: int = _setting(
        15,
        _whole(1, 30),
        "How long a target may take to answer, from 1 to 30. A worker that dies "
        "has its deliveries taken over after three times as long.",
    )
    retention: timedelta = _setting(
        timedelta(days=30),
        lambda text: timedelta(days=_whole(1, 3650)(text)),
        "For how many days events, deliveries and attempts are kept. An event stays as long as "
        "a delivery of it waits, also behind a paused subscription.",
    )
    log_format: str = _setting("text", _one_of("text", "json"), "How log lines are written.")
    log_level: str = _setting(
        "info", _one_of("debug", "info", "warning", "error"), "The least level that is logged."
    )

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Read the settings; ``overrides`` (from the command line) win over variables.

        Raises:
            SettingsError: A variable has a value that makes no sense, or is unknown.
        """
        env = os.environ if environment is None else environment
        given = {
            one.name: _read(one, env[variable(one)])
            for one in fields(cls)
            if env.get(variable(one))
        }
        known = {variable(one) for one in fields(cls)} | CLIENT_VARIABLES
        for name in sorted(env):
            # Kubernetes adds RELAIS_SERVICE_… and RELAIS_PORT_… for a service named relais.
            injected = name.startswith(("RELAIS_SERVICE_", "RELAIS_PORT_"))
            if name.startswith("RELAIS_") and name not in known and not injected:
                raise SettingsError(f"{name} is not a setting of Relais; see docs/settings.md.")
        return cls(**{**given, **{key: one for key, one in overrides.items() if one is not None}})

    @property
    def store_url(self) -> str:
        """Return the database to open."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'relais.db'}"

    @property
    def is_in_memory(self) -> bool:
        """Return whether the store lives in the memory of one process."""
        return self.store_url == "sqlite://"

    @property
    def url_rules(self) -> UrlRules:
        """Return what target URLs may be."""
        public = self.public_url.lower().partition("://")[2].partition("/")[0]
        listening = {f"{host}:{self.port}" for host in (self.host, "127.0.0.1", "localhost")}
        return UrlRules(
            allow_http=self.allow_http,
            allowed_ports=self.allowed_ports,
            allowed_networks=self.allowed_networks,
            own_hosts=frozenset({public} - {""}) | listening,
            nat64=self.nat64,
        )


# Read by others: by commands that talk to a running Relais, by receivers, by the Zapier app.
CLIENT_VARIABLES = frozenset(
    {
        "RELAIS_ALLOW_LOOPBACK",
        "RELAIS_COMMAND",
        "RELAIS_KEY",
        "RELAIS_URL",
        "RELAIS_WEBHOOK_SECRET",
    }
)


def environment_with(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings of Relais and no others."""
    others = {name: one for name, one in os.environ.items() if not name.startswith("RELAIS_")}
    return others | settings


def variable(one: "Field[Any]") -> str:
    """Return the environment variable of a setting; durations say their unit."""
    unit = "_DAYS" if one.name == "retention" else ""
    return f"RELAIS_{one.name.upper()}{unit}"


def default_text(one: "Field[Any]") -> str:
    """Return a setting's default as it would be written in the environment."""
    value = one.default_factory() if one.default_factory is not MISSING else one.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return str(value.days)
    if isinstance(value, frozenset | tuple):
        return ",".join(str(part) for part in sorted(value))
    return str(value)


def _read(one: "Field[Any]", text: str) -> Any:
    try:
        return one.metadata["read"](text)
    except ValueError as problem:
        raise SettingsError(f"{variable(one)}={text!r}: {problem}.") from problem
