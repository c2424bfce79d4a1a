"""The examples of docs/publishing.md, sent to a real Relais: those for curl, then Python."""

import json
import logging
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.config import environment_with

GUIDE = (Path(__file__).parents[2] / "docs" / "publishing.md").read_text()
CURL = re.findall(r"^```sh\n(curl .*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
# Relais accepts this one, with an id of its own for each event.
APPOINTMENT = {"id": 880143, "schedule_id": 51423, "full_name": "Ines Moreau"}


@pytest.mark.skipif(not shutil.which("curl"), reason="the guide needs curl")
def test_every_curl_example_is_accepted(running):
    remote = environment_with(RELAIS_URL=running.url, RELAIS_KEY=running.publisher_key)
    answers = []
    for command in CURL:
        shell = [shutil.which("bash"), "-c", command.replace("curl ", "curl -s --fail-with-body ")]
        ran = subprocess.run(shell, env=remote, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        assert ran.returncode == 0, f"{command}\n{ran.stdout}"
        answers.append(json.loads(ran.stdout))

    published, batch, checked, account, *_ = answers
    assert len(CURL) == 6
    assert published["disposition"] == "open"
    assert published["warnings"] == []
    assert len(batch["results"]) == 2
    assert checked == {"deliveries": 0, "diverted": False, "disposition": "open"}
    assert account["reference"] == "studio-lumiere"


def test_the_python_examples_run_one_after_the_other(running, monkeypatch, capsys):
    monkeypatch.setenv("RELAIS_URL", running.url)
    monkeypatch.setenv("RELAIS_KEY", running.publisher_key)
    done = []
    names = {
        "url": running.url,
        "key": running.publisher_key,
        "data": APPOINTMENT,
        "text": "Choose a new password here: …",
        "row": SimpleNamespace(id="row-5"),
        "log": logging.getLogger("guide"),
        "send_the_mail_ourselves": done.append,
        "skip_rendering_the_mail": done.append,
        "show_once_to_the_customer": done.append,
        "keep_for_later": done.append,
    }
    for example in PYTHON:
        own = example.replace("studio-lumiere", "studio-python")  # curl made the other one
        exec(compile(own, "publishing.md", "exec"), names)  # noqa: S102 - ours
    names["relais"].close()

    mail, key = done
    assert mail["subject"] == "Reset your password"
    assert key.startswith("rk_acc_")
    assert "0 open\n0 open\n" in capsys.readouterr().out
