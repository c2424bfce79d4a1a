"""Growth: the same rate in a store that is full, beside an empty one, in the same rounds."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.bench import Bench, note
from benchmarks.deployment import Account, relais
from benchmarks.end_to_end import PATIENCE_S, batched, one_by_one
from benchmarks.fill import Filler
from benchmarks.receiver import Receiver
from benchmarks.rounds import Contestant

TITLE = "Growth: end to end, k=1, batches of 100, in a store that holds"
_SUBSCRIPTIONS = 100_000
_IN_BACK_OFF = 10_000
_FAILING = 20
# Filling PostgreSQL takes five times as long, and is to end within minutes too.
_SHARE = {"SQLite": 1, "PostgreSQL": 5}
_FILLING_S = {"SQLite": 240.0, "PostgreSQL": 90.0}
NOTHING = "nothing else"

# Fills a store, and says what with.
Fill = Callable[[Filler], str]


def measure(bench: Bench) -> dict[str, Any]:
    """Fill the stores, then measure them in turn."""
    receiver, contestants = bench.receiver(), []
    for engine in bench.engines:
        settled = partial(
            _settled, count=bench.settled // _SHARE[engine], patience_s=_FILLING_S[engine]
        )
        fills: list[Fill] = [_nothing, settled]
        if engine == "SQLite":
            fills += [_subscriptions, _in_back_off]
        for fill in fills:
            name, account = _filled(bench, engine, fill, receiver)
            run = partial(batched, account, receiver, pids=bench.pids(engine))
            contestants.append(Contestant(name=f"{engine}, {name}", run=run, step=100))
    return {"title": TITLE, "rows": bench.play(contestants), "skipped": bench.skipped}


def _nothing(_filler: Filler) -> str:
    return NOTHING


def _settled(filler: Filler, *, count: int, patience_s: float) -> str:
    return f"{filler.settled(count, patience_s=patience_s):,} settled deliveries"


def _subscriptions(filler: Filler) -> str:
    filler.subscriptions(_SUBSCRIPTIONS)
    return f"{_SUBSCRIPTIONS:,} subscriptions"


def _in_back_off(filler: Filler) -> str:
    filler.in_back_off(_IN_BACK_OFF)
    return f"{_IN_BACK_OFF:,} in back-off"


def _filled(bench: Bench, engine: str, fill: Fill, receiver: Receiver) -> tuple[str, Account]:
    """Return what a store was filled with, and an account in a running Relais on it."""
    folder, database = bench.folder(), bench.database(engine)
    start = time.monotonic()
    with relais(database, folder=folder) as first:
        account = first.account("growth").subscribe(receiver.url)
        if fill is _in_back_off:
            _fail(first.account("failing"), bench.receiver())
        one_by_one(account, receiver, 1, {})
    filler = Filler(database, folder)
    name = fill(filler)
    filler.close()
    note(f"  {engine} filled with {name} in {time.monotonic() - start:.0f} s")
    account.deployment = bench.stack.enter_context(relais(database, folder=folder))
    return name, account


def _fail(account: Account, receiver: Receiver) -> None:
    """Let one event fail at every one of some subscriptions.

    That it failed is in the store when Relais has stopped. The receiver is one of their
    own, as they will try again while others are measured.
    """
    account.subscribe(receiver.url, _FAILING, kind="fail")
    account.publish(1)
    receiver.wait_for(_FAILING, PATIENCE_S)
