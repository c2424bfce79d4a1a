"""People change subscriptions while a thousand requests are under way (25)."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.torture import ledger
from tests.torture.calls import Api
from tests.torture.checker import has_signature
from tests.torture.ledger import Arrival
from tests.torture.publishing import Stream, in_threads
from tests.torture.trial import Scenario, Trial
from tests.torture.world import World

_GRACE_S = 1.0
_FOR_EVER = float("inf")
_EDIT_EVERY_S = 0.7


def _now() -> float:
    return time.time()  # noqa: TID251 - the watch of the receiver, to compare with it


@dataclass
class Span:
    """From when until when something was so. ``until`` is when the answer was there."""

    since: float
    until: float = _FOR_EVER
    value: str = ""

    def holds(self, at: float, grace_s: float) -> bool:
        return self.since <= at <= self.until + grace_s


@dataclass
class Edits:
    """What was changed, and when."""

    secrets: list[Span] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    targets: list[Span] = field(default_factory=list)
    deleted_at: float = _FOR_EVER


def edit(trial: Trial) -> None:
    """A secret is rotated, a subscription paused and resumed, one deleted, one sent elsewhere."""
    sends = trial.sized(1_000, least=100)
    with trial.world(settings={"RELAIS_WORKER_SLOTS": "32"}) as world:
        world.start_api()
        world.subscribe("rotated", "paused", "deleted", "url-a", query="?delay=0.05")
        world.secrets["url-b"] = world.secrets["url-a"]
        world.start_worker()
        world.start_worker()
        edits = Edits()
        edits.secrets.append(Span(0.0, value=world.secrets["rotated"][0]))
        stream = Stream(world, per_second=60).start()
        work = (_rotate, _pause, _delete, _move)

        def enough() -> bool:
            return world.arrival_count() >= sends

        in_threads(len(work), lambda number: _edit(world, work[number], edits, enough))
        stream.stop()
        world.wait_for_quiet()
        _judge(trial, world, edits)


def _edit(
    world: World, work: Callable[..., None], edits: Edits, enough: Callable[[], bool]
) -> None:
    with contextlib.closing(Api(world.url, world.account_key)) as api:
        deadline = time.monotonic() + 120
        while not enough() and time.monotonic() < deadline:
            time.sleep(_EDIT_EVERY_S)
            work(world, api, edits)


def _rotate(world: World, api: Api, edits: Edits) -> None:
    asked_at = _now()
    answer = api.call("POST", f"/subscriptions/{world.subscriptions['rotated']}/secret", {})
    assert answer.status == 200, answer.document
    edits.secrets[-1].until = _now()
    edits.secrets.append(Span(asked_at, value=answer.document["secret"]))
    world.secrets["rotated"].append(answer.document["secret"])


def _pause(world: World, api: Api, edits: Edits) -> None:
    """Pause, and resume after two seconds: one more than is allowed for the pause to tell."""
    path = f"/subscriptions/{world.subscriptions['paused']}"
    assert api.call("POST", f"{path}/pause", {}).status == 200
    answered_at = _now()
    time.sleep(2 * _GRACE_S)
    edits.pauses.append(Span(answered_at + _GRACE_S, _now()))
    assert api.call("POST", f"{path}/resume", {}).status == 200


def _delete(world: World, api: Api, edits: Edits) -> None:
    if edits.deleted_at == _FOR_EVER:
        path = f"/subscriptions/{world.subscriptions['deleted']}"
        assert api.call("DELETE", path).status == 204
        edits.deleted_at = _now()


def _move(world: World, api: Api, edits: Edits) -> None:
    """Send it elsewhere and back, so that each place is wrong for two seconds."""
    path = f"/subscriptions/{world.subscriptions['url-a']}"
    for lane, other in (("url-b", "url-a"), ("url-a", "url-b")):
        wish = {"target_url": world.target(lane, "?delay=0.05")}
        assert api.call("PATCH", path, wish).status == 200
        answered_at = _now()
        time.sleep(2 * _GRACE_S)
        edits.targets.append(Span(answered_at + _GRACE_S, _now(), value=other))


def _judge(trial: Trial, world: World, edits: Edits) -> None:
    found = ledger.arrivals(world.arrived)
    stale = [one for one in found if one.lane == "rotated" and not _is_current(one, edits.secrets)]
    held = _within(found, "paused", edits.pauses)
    late = [o for o in found if o.lane == "deleted" and o.at > edits.deleted_at + _GRACE_S]
    strayed = [one for span in edits.targets for one in _within(found, span.value, [span])]
    trial.facts |= {
        "rotations": len(edits.secrets) - 1,
        "pauses": len(edits.pauses),
        "moves": len(edits.targets),
    }
    trial.require(edits.deleted_at < _FOR_EVER, "nothing was deleted")
    trial.require(not stale, f"{len(stale)} requests with a secret that was not valid")
    trial.require(not held, f"{len(held)} requests began > 1 s after the pause")
    trial.require(not late, f"{len(late)} requests began > 1 s after the deletion")
    trial.require(not strayed, f"{len(strayed)} requests to the old URL > 1 s after the change")
    # Who was paused or deleted is not owed every event; rotated and moved ones are.
    trial.judge(world, lanes=["rotated", "url-a"])


def _is_current(one: Arrival, secrets: list[Span]) -> bool:
    valid = [span.value for span in secrets if span.holds(one.at, _GRACE_S)]
    return has_signature(one, valid)


def _within(found: list[Arrival], lane: str, spans: list[Span]) -> list[Arrival]:
    mine = [one for one in found if one.lane == lane]
    return [one for one in mine if any(span.holds(one.at, 0.0) for span in spans)]


SCENARIOS = (
    Scenario(
        25,
        "subscriptions are changed during 1,000 sends",
        "each request verifies with a valid secret; none begins > 1 s after a pause or deletion",
        edit,
    ),
)
