"""Subscribers that behave like a platform: on, off, deleted, too busy, slow.

For the tests of Relais, and for vendors who want to see what their customers' automations
do to it (``relais simulate``). Only what a platform answers is simulated, not what it does
with an event; how much of that is known, and how, stands in docs/platforms.md.
"""

from app.simulators.answers import State
from app.simulators.script import ScriptError
from app.simulators.subscriber import Arrival, Subscriber

__all__ = ["Arrival", "ScriptError", "State", "Subscriber"]
