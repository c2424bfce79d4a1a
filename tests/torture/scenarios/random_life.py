"""Random life, in process, with invariants after each step (30)."""

from tests.torture import test_state_machine
from tests.torture.trial import Scenario, Trial

_STEPS = 50


def live(trial: Trial) -> None:
    """What Hypothesis chooses happens; a broken invariant comes with its shortest story."""
    examples = trial.sized(400, least=10)
    trial.facts |= {"examples": examples, "steps": _STEPS}
    trial.say(f"{examples} lives of {_STEPS} steps")
    happened = test_state_machine.run(trial.engine, examples=examples, steps=_STEPS)
    trial.facts |= dict(sorted(happened.items()))
    trial.require(happened["settled too late"] > 0, "nothing was settled too late")


SCENARIOS = (
    Scenario(
        30,
        "random life, in process (Hypothesis)",
        "invariants I1–I9 after each step; every story ends",
        live,
    ),
)
