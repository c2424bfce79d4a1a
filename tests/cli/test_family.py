"""A parent and its children, as real processes: forked by a small script, and then killed."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

BEGIN = """
    import os, sys, threading, time
    from app.cli import family
    from app.cli.family import Family, FamilyError, Role
    from app.cli.stopping import stoppable

    family._FIRST_DELAY_S = 0.01

    def say(*words):
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())

    def live(ready):
        say("born", os.getpid())
        with stoppable():
            ready()
            threading.Event().wait()
"""
KEEP = """
    with stoppable(), Family([Role("one", live), Role("two", live)]) as children:
        children.keep(lambda: say("ready"))
"""
DIE = """
    def die(ready):
        ready()
        say("born")
        sys.exit(7)

    try:
        with Family([Role("weak", die), Role("strong", live)]) as children:
            children.keep(lambda: None)
    except FamilyError as problem:
        say(problem)
        sys.exit(1)
"""
NEVER_READY = """
    with stoppable(), Family([Role("slow", lambda ready: time.sleep(60))]) as children:
        children.keep(lambda: say("ready"))
"""


@pytest.fixture
def run():
    started = []

    def start(script):
        process = subprocess.Popen(  # noqa: S603 - the script is ours
            [sys.executable, "-c", textwrap.dedent(BEGIN) + textwrap.dedent(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def births(process, count):
    """Return the ids of the next so many children, and whether all were said to be ready."""
    born, ready = [], False
    for line in process.stdout:
        ready |= line == "ready\n"
        if line.startswith("born"):
            born.append(int(line.split()[1]))
        if len(born) == count and (ready or count == 1):
            return born
    raise AssertionError(process.stderr.read())


def test_all_are_started_and_end_with_the_parent(run):
    parent = run(KEEP)
    births(parent, 2)

    parent.send_signal(signal.SIGTERM)
    rest, errors = parent.communicate(timeout=30)  # until nobody holds its end of the pipes

    assert (parent.returncode, rest, errors) == (0, "", "")


def test_a_parent_that_is_killed_takes_its_children_along(run):
    parent = run(KEEP)
    births(parent, 2)

    parent.kill()

    parent.communicate(timeout=30)  # its output ends when the last of them has ended


def test_a_child_that_is_killed_is_started_again_and_the_others_stay(run):
    parent = run(KEEP)
    first, second = births(parent, 2)

    os.kill(first, signal.SIGKILL)

    [third] = births(parent, 1)
    assert third not in (first, second)
    os.kill(second, 0)


def test_a_child_that_does_not_stay_alive_ends_the_tree(run):
    parent = run(DIE)

    said, _ = parent.communicate(timeout=60)

    assert parent.returncode == 1
    assert said.count("born\n") == 5
    assert "The weak process died 5 times in a row, the last time with exit code 7." in said


def test_a_child_that_is_not_ready_is_awaited(run):
    parent = run(NEVER_READY)

    with pytest.raises(subprocess.TimeoutExpired):
        parent.wait(3)
    parent.send_signal(signal.SIGTERM)

    assert parent.communicate(timeout=30)[0] == ""
