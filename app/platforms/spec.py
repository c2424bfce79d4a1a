"""The words a platform is described in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How one automation platform words things, and how it behaves as a subscriber.

    Attributes:
        aliases: Other spellings of subscribe fields: alias → our name.
        hosts: Ends of host names by which its target URLs are known.
        profile: What its answers mean, and how fast it may be sent to.
    """

    key: str
    name: str
    hosts: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
