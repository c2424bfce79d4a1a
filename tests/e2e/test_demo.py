"""`relais demo`: the whole of examples/, through a real Relais, in one command."""

import re

from app.catalog import load_registry
from app.cli.demo.day import load_day
from tests.e2e.processes import RelaisProcess


def test_the_demo_shows_the_day_and_leaves_nothing_behind(tmp_path):
    with RelaisProcess("demo", "--language", "en", TMPDIR=str(tmp_path)) as demo:
        code = demo.wait(100)

        text = "\n".join(demo.lines)
        assert code == 0, demo.log
    for account in load_day().accounts:
        assert account["name"] in text
    assert "The filter wants: Event is Placed, but Event" in text
    assert "The webhook is paused." in text
    assert "A later change of the same record" in text
    assert re.search(r"^Events published +54$", text, re.MULTILINE)
    assert re.search(r"^ +200  its triggers do not listen to the event$", text, re.MULTILINE)
    assert "counts as appointment.edit" in text
    assert text.count("” received") == len(load_registry().products)
    assert "\x1b" not in text
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_demo_leaves_nothing_behind(tmp_path):
    with RelaisProcess("demo", TMPDIR=str(tmp_path)) as demo:
        demo.rest_of("Publishing")

        assert demo.stop() != 0
    assert list(tmp_path.iterdir()) == []
