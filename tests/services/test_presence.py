"""Workers say that they are there, seldom enough to cost nothing."""

from datetime import timedelta

from app.core.errors import UnavailableError
from app.core.presence import BEAT, SILENCE
from app.services.presence import Pulse, forget_the_dead


def seen(context):
    with context.store.read() as tx:
        return tx.workers(limit=10)


def test_a_worker_is_seen_from_its_first_turn(context):
    Pulse(context, "w1").beat(5)

    [worker] = seen(context)
    assert (worker.name, worker.in_flight, worker.seen_at) == ("w1", 5, context.clock.now())
    assert worker.is_alive_at(context.clock.now())


def test_a_worker_writes_once_a_beat_however_often_it_turns(context):
    pulse = Pulse(context, "w1")
    pulse.beat(1)
    context.clock.advance(BEAT / 2)
    pulse.beat(2)
    assert seen(context)[0].in_flight == 1

    context.clock.advance(BEAT / 2)
    pulse.beat(3)
    assert seen(context)[0].in_flight == 3


def test_a_worker_whose_clock_was_set_back_is_seen_all_the_same(context):
    pulse = Pulse(context, "w1")
    pulse.beat(1)
    context.clock.advance(-timedelta(hours=1))

    pulse.beat(2)

    assert seen(context)[0].in_flight == 2


def test_a_silent_worker_is_dead_after_a_while(context):
    Pulse(context, "w1").beat(0)

    [worker] = seen(context)
    assert worker.is_alive_at(context.clock.now() + SILENCE - timedelta(seconds=1))
    assert not worker.is_alive_at(context.clock.now() + SILENCE)


def test_a_worker_that_stopped_is_not_seen(context):
    pulse = Pulse(context, "w1")
    pulse.beat(0)

    pulse.stop()

    assert seen(context) == ()


def test_a_store_that_is_down_does_not_stop_a_worker_nor_is_it_asked_at_every_turn(
    context, monkeypatch
):
    asked = []

    def down():
        asked.append(1)
        raise UnavailableError("The database does not answer.")

    monkeypatch.setattr(context.store, "write", down)
    pulse = Pulse(context, "w1")

    pulse.beat(0)
    pulse.beat(0)
    pulse.stop()

    assert len(asked) == 2


def test_the_dead_are_forgotten_some_time_later(context):
    Pulse(context, "w1").beat(0)

    context.clock.advance(timedelta(minutes=30))
    assert forget_the_dead(context) == 0
    context.clock.advance(timedelta(hours=1))
    assert forget_the_dead(context) == 1
