"""The scenarios, by their number in the table of docs/proofs.md."""

from tests.torture.scenarios import (
    accepting,
    clocks,
    database,
    editing,
    killing,
    random_life,
    stopping,
    surroundings,
)
from tests.torture.trial import Scenario

_HOMES = (killing, stopping, database, clocks, surroundings, accepting, editing, random_life)
SCENARIOS: dict[int, Scenario] = {
    one.number: one
    for one in sorted(
        (scenario for home in _HOMES for scenario in home.SCENARIOS), key=lambda one: one.number
    )
}
