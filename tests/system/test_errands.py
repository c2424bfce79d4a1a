"""Bookkeeping in a thread of its own."""

import threading

from app.core.errors import UnavailableError
from app.system.errands import ThreadErrands


def test_errands_are_run_in_order_and_finished_before_the_end():
    errands, done = ThreadErrands(), []

    for number in range(10):
        errands.run(lambda number=number: done.append(number))
    errands.close()

    assert done == list(range(10))


def test_an_errand_that_fails_does_not_end_the_others(caplog):
    errands, done = ThreadErrands(), []

    def unavailable():
        raise UnavailableError("the disk is full")

    def broken():
        raise RuntimeError("odd")

    for errand in (unavailable, broken, lambda: done.append(True)):
        errands.run(errand)
    errands.close()

    assert done == [True]
    assert [one.getMessage() for one in caplog.records] == ["errands.dropped", "errands.failed"]


def test_whoever_has_an_errand_never_waits(caplog):
    errands, going_on = ThreadErrands(), threading.Event()
    errands.run(going_on.wait)

    for _ in range(1_100):
        errands.run(lambda: None)
    going_on.set()
    errands.close()

    assert "errands.full" in {one.getMessage() for one in caplog.records}


def test_without_errands_there_is_nothing_to_end():
    ThreadErrands().close()


def test_an_errand_that_hangs_does_not_hold_up_the_end(caplog):
    errands, going_on = ThreadErrands(patience_s=0.05), threading.Event()
    errands.run(going_on.wait)
    errands.run(lambda: None)

    errands.close()

    assert [one.getMessage() for one in caplog.records] == ["errands.left_undone"]
    going_on.set()
