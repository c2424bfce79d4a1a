"""Where a target URL leads: the host and port, as libcurl will read them."""

import functools
import re
from ipaddress import ip_address
from typing import NamedTuple

from app.core.target_urls import DEFAULT_PORTS

# What `app.core.target_urls.TargetUrl.href` writes, and nothing else.
_HREF = re.compile(r"(https?)://(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::([0-9]{1,5}))?/[!-~]*")


class Destination(NamedTuple):
    """Whom a request goes to.

    Attributes:
        host: A name, or an address without brackets.
        is_address: There is nothing to look up.
    """

    host: str
    port: int
    is_address: bool


@functools.lru_cache(maxsize=4096)  # a busy target is called again and again
def destination_of(target_url: str) -> Destination:
    """Return the destination of the ``href`` of a `TargetUrl`.

    Raises:
        ValueError: It is no such thing.
    """
    match = _HREF.fullmatch(target_url)
    if match is None:
        raise ValueError("not a target URL")
    scheme, ipv6, host, port = match.groups()
    return Destination(
        host=ipv6 or host,
        port=int(port) if port else DEFAULT_PORTS[scheme],
        is_address=bool(ipv6) or _is_ipv4(host),
    )


def _is_ipv4(host: str) -> bool:
    if not host[-1].isdigit():
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
