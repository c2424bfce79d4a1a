"""Which IP addresses Relais refuses to call, and why: one table.

The standard library's ``is_private`` and ``is_global`` are not the rule: they call many
addresses global that lead inside (NAT64, 6to4, site-local, cloud metadata), and their
answers differ between Python versions. The table follows the IANA special-purpose
registries, plus the public-looking addresses at which clouds serve metadata.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "this host on this network"),
        ("10.0.0.0/8", "private network"),
        ("100.64.0.0/10", "carrier-grade NAT, cloud metadata"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "Azure platform services"),
        ("169.254.0.0/16", "link-local, cloud metadata"),
        ("172.16.0.0/12", "private network"),
        ("192.0.0.0/24", "protocol assignments, cloud metadata"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112"),
        ("192.52.193.0/24", "automatic multicast tunnelling"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private network"),
        ("192.175.48.0/24", "AS112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, broadcast"),
    )
)

# Everything outside global unicast is refused, whatever it is used for one day. The rule
# covers loopback, mapped, compatible, translated, NAT64, unique local, link-local,
# site-local and multicast addresses, and space that is not allocated.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("2001::/23", "protocol assignments, Teredo"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "AS112"),
        ("3fff::/20", "documentation"),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(
    address: IpAddress, *, allowed: Sequence[IpNetwork] = (), nat64: bool = False
) -> str | None:
    """Return why Relais does not call ``address``, or None where it may.

    The reason is for operators; subscribers are told only that the address is blocked.

    Args:
        address: The very address that a socket would connect to.
        allowed: Networks that the operator opened (``RELAIS_ALLOWED_NETWORKS``). They
            are asked after the table, per address family: opening 10.0.0.0/8 does not
            open ``::ffff:10.0.0.1``. An address with a scope id is refused even so.
        nat64: Give 64:ff9b::/96 the verdict of the IPv4 address inside, for networks
            that reach IPv4 through a NAT64 gateway.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "scope id"
    reason = _reason(address, nat64=nat64)
    if reason is None or any(address in network for network in allowed):
        return None
    return reason


def _reason(address: IpAddress, *, nat64: bool) -> str | None:
    if isinstance(address, IPv4Address):
        return _reason_in(_REFUSED_V4, address)
    if nat64 and address in _NAT64:
        return _reason_in(_REFUSED_V4, IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _GLOBAL_UNICAST:
        return "2000::/3 is the only IPv6 space called"
    return _reason_in(_REFUSED_V6, address)


def _reason_in(table: Sequence[tuple[IpNetwork, str]], address: IpAddress) -> str | None:
    return next((f"{network}: {why}" for network, why in table if address in network), None)
