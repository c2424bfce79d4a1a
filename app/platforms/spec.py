"""The words a platform is described in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.deliveries import DeadSignals


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How one automation platform words things, and how it says that it is off.

    Attributes:
        aliases: Other spellings of subscribe fields: alias → our name.
        hosts: Ends of host names by which its target URLs are known.
        dead_signals: Which answers mean that nobody listens any more.
    """

    key: str
    name: str
    hosts: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    dead_signals: DeadSignals = field(default_factory=DeadSignals)
