"""Target URLs: the grammar of what Relais calls, parsed once and sent from the parts.

A URL is taken as it is or refused with a stable code; nothing is repaired, because two
readers repair differently. The only changes are those that no reader disputes: lower
case, the ASCII form of an international name, one trailing dot, the default port.
Names are not looked up here: which address a name leads to is checked at each attempt,
on the very socket (`app.core.addresses`).

An underscore is accepted in every label of a host name but the last. The standard for
host names has none, but the domain name system, TLS wildcards and real receivers do.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NoReturn

import idna

from app.core.addresses import IpAddress, IpNetwork, refusal
from app.core.errors import FieldProblem

MAX_URL_CHARS = 2048
MAX_HOST_CHARS = 253
MAX_PORT = 65535
DEFAULT_PORTS = {"http": 80, "https": 443}
DEFAULT_ALLOWED_PORTS = frozenset({80, 443, 8000, 8080, 8443})

_RESERVED_SUFFIXES = ("localhost", "local", "internal", "home.arpa", "onion")
_LOOPBACK = IPv4Address("127.0.0.1")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(.*)", re.DOTALL)
_BRACKETED = re.compile(r"\[([^\]]*)\](.*)", re.DOTALL)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"(?!.{64})[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_QUAD = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRules:
    """What a deployment allows.

    Attributes:
        allow_http: Plain http to everybody.
        allowed_ports: The ports that may be called.
        allowed_networks: Networks that the operator opened; an address in one of them
            may be called by http and at any port. ``localhost`` counts as 127.0.0.1.
        own_hosts: Our own public names, as ``host`` or ``host:port``.
        nat64: See `app.core.addresses.refusal`.
    """

    allow_http: bool = False
    allowed_ports: frozenset[int] = DEFAULT_ALLOWED_PORTS
    allowed_networks: Sequence[IpNetwork] = ()
    own_hosts: frozenset[str] = frozenset()
    nat64: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUrl:
    """A target URL in its parts.

    Attributes:
        host: A lower-case ASCII name, or an address without brackets.
        path_and_query: Exactly as given; ``/`` where there was nothing.
    """

    scheme: str
    host: str
    port: int
    path_and_query: str

    @property
    def href(self) -> str:
        """Return the URL that is stored and sent."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path_and_query}"


class _RefusedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_target_url(
    text: str, rules: UrlRules, *, field: str = "target_url"
) -> TargetUrl | FieldProblem:
    """Return the parts of ``text``, or the first thing wrong with it.

    Problems never repeat the URL: it often holds a secret. Their codes: length,
    control_char, backslash, fragment, scheme, userinfo, not_ascii, percent_in_host,
    zone_id, host_invalid, host_numeric, host_reserved, port, port_not_allowed,
    blocked_address, self_target.
    """
    try:
        return _checked(_parsed(text), rules)
    except _RefusedError as error:
        return FieldProblem(field=field, code=error.code, message=error.message)


def host_of(text: str) -> str:
    """Return the host of a stored URL, for logs; the rest of it is a secret.

    Returns ``?`` where there is no host to be seen. Never raises.
    """
    match = _URL.match(text)
    authority = match[2].rpartition("@")[2] if match else ""
    bracketed = _BRACKETED.match(authority)
    return (bracketed[1] if bracketed else authority.partition(":")[0]) or "?"


def _refuse(code: str, message: str) -> NoReturn:
    raise _RefusedError(code, message)


def _parsed(text: str) -> TargetUrl:
    _check_characters(text)
    match = _URL.fullmatch(text)
    if match is None or match[1].lower() not in DEFAULT_PORTS:
        _refuse("scheme", "Use a URL that starts with https://.")
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    if "@" in authority:
        _refuse("userinfo", "Leave out the user name and password; use a header instead.")
    if not rest.isascii():
        _refuse("not_ascii", "Percent-encode the path and query: they must be ASCII.")
    host, port = _split(authority)
    return TargetUrl(
        scheme=scheme,
        host=_host(host),
        port=_port(port, scheme),
        path_and_query=rest if rest.startswith("/") else f"/{rest}",
    )


def _check_characters(text: str) -> None:
    if not 1 <= len(text) <= MAX_URL_CHARS:
        _refuse("length", f"Use a URL of 1 to {MAX_URL_CHARS} characters.")
    # Categories C and Z: controls, invisible marks, separators, spaces.
    if any(unicodedata.category(char)[0] in "CZ" for char in text):
        _refuse("control_char", "Remove spaces and invisible characters from the URL.")
    if "\\" in text:
        _refuse("backslash", "Use / instead of a backslash.")
    if "#" in text:
        _refuse("fragment", "Remove the # and what follows it: it is never sent.")


def _split(authority: str) -> tuple[str, str]:
    """Return the host, brackets included, and ``:port`` or nothing."""
    bracketed = _BRACKETED.fullmatch(authority)
    if bracketed:
        return f"[{bracketed[1]}]", bracketed[2]
    host, colon, port = authority.partition(":")
    return host, colon + port


def _port(text: str, scheme: str) -> int:
    if not text:
        return DEFAULT_PORTS[scheme]
    if not _PORT.fullmatch(text[1:]) or not text.startswith(":") or int(text[1:]) > MAX_PORT:
        _refuse("port", f"Use a port from 1 to {MAX_PORT}, written in plain digits, or none.")
    return int(text[1:])


def _host(text: str) -> str:
    if "%" in text:
        if text.startswith("["):
            _refuse("zone_id", "Remove the zone id: only public addresses can be called.")
        _refuse("percent_in_host", "Write the host name without percent-encoding.")
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if _QUAD.fullmatch(text):
        return _ipv4(text)
    return _name(text)


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        _refuse("host_invalid", "Between the brackets, write an IPv6 address.")


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        _refuse_numeric()


def _refuse_numeric() -> NoReturn:
    _refuse("host_numeric", "Use a host name, or an address as four plain decimal numbers.")


def _name(text: str) -> str:
    mapped = _mapped(text).removesuffix(".")
    labels = mapped.split(".")
    if labels[-1].isdecimal() or labels[-1].startswith("0x"):
        _refuse_numeric()
    name = ".".join(_ascii_label(label) for label in labels)
    if len(name) > MAX_HOST_CHARS or "_" in labels[-1]:
        _refuse_host()
    return name


def _mapped(text: str) -> str:
    """Return the name as UTS 46 maps it: lower case, compatibility forms folded."""
    if text.isascii():
        return text.lower()
    try:
        return idna.uts46_remap(text, std3_rules=False)
    except idna.IDNAError:
        _refuse_host()


def _ascii_label(label: str) -> str:
    if not label.isascii() or label.startswith("xn--"):
        try:
            label = idna.alabel(label).decode("ascii")
        except idna.IDNAError:
            _refuse_host()
    if not _LABEL.fullmatch(label):
        _refuse_host()
    return label


def _refuse_host() -> NoReturn:
    _refuse("host_invalid", "Use a host name such as hooks.example.com.")


def _checked(url: TargetUrl, rules: UrlRules) -> TargetUrl:
    address = _address(url.host)
    opened = address is not None and any(address in net for net in rules.allowed_networks)
    if url.scheme == "http" and not (rules.allow_http or opened):
        _refuse("scheme", "Use https; this service does not call plain http.")
    if {url.host, f"{url.host}:{url.port}"} & rules.own_hosts:
        _refuse("self_target", "This is the address of the webhook service itself.")
    _check_destination(url.host, address, rules)
    if not opened and url.port not in rules.allowed_ports:
        ports = ", ".join(str(port) for port in sorted(rules.allowed_ports))
        _refuse("port_not_allowed", f"Use one of the ports {ports}.")
    return url


def _address(host: str) -> IpAddress | None:
    """Return the address that the host is without a look-up, or None for a name."""
    if host == "localhost":
        return _LOOPBACK
    if ":" in host:
        return IPv6Address(host)
    return IPv4Address(host) if _QUAD.fullmatch(host) else None


def _check_destination(host: str, address: IpAddress | None, rules: UrlRules) -> None:
    if address is None:
        if "." not in host or _is_reserved(host):
            _refuse("host_reserved", "Use a public host name: this one leads inside a network.")
        return
    if refusal(address, allowed=rules.allowed_networks, nat64=rules.nat64) is None:
        return
    if host == "localhost":
        _refuse("host_reserved", "Use a public host name: localhost is this machine itself.")
    _refuse("blocked_address", "Use a public address: this one leads inside a network.")


def _is_reserved(host: str) -> bool:
    return any(host == suffix or host.endswith(f".{suffix}") for suffix in _RESERVED_SUFFIXES)
