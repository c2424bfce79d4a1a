"""`relais listen` and `relais publish`, as two people at two terminals use them."""

import json
import re

import pytest
from click.testing import CliRunner

from app.cli import relais
from app.cli.remote import SubscriberCalls
from relais_client import RefusedError
from tests.e2e.processes import RelaisProcess


@pytest.fixture
def listen(running):
    def start(*args):
        return RelaisProcess("listen", *args, "--url", running.url, "--key", running.account_key)

    return start


@pytest.fixture
def publish(running):
    def run(*args):
        """Publish in this process, which is quicker; the walk in README.md has real ones."""
        remote = {"RELAIS_URL": running.url, "RELAIS_KEY": running.publisher_key}
        return CliRunner().invoke(relais, ["publish", *args, "--account", "demo"], env=remote)

    return run


def subscription_urls(running):
    with SubscriberCalls(running.url, running.account_key) as calls:
        return [one["target_url"] for one in calls._connection.pages("/subscriptions")]


def test_an_example_goes_from_one_terminal_to_the_other(running, listen, publish):
    with listen("--trigger", "changed_form", "--count", "1") as listening:
        url = listening.rest_of("Listening at ").partition(",")[0]
        assert url in subscription_urls(running)

        published = publish("form.new", "--example")

        assert re.fullmatch(r"Accepted evt_\w+: fires 1 webhook\.\n", published.output)
        assert listening.wait() == 0
    text = "\n".join(listening.lines)
    assert "POST /hook, answered 204" in text
    assert "signature ok" in text
    assert '"trigger": "changed_form"' in text
    assert listening.lines[-1] == "Unsubscribed."
    assert url not in subscription_urls(running)


def test_the_example_of_a_deletion_is_deleted(listen, publish):
    wish = ("--trigger", "changed_appointment", "--filters", '{"event": ["destroy"]}')
    with listen(*wish, "--count", "1") as listening:
        listening.rest_of("Listening at ")

        publish("appointment.destroy", "--example")

        assert listening.wait() == 0
    assert '"deleted": true' in "\n".join(listening.lines)


def test_a_filter_keeps_others_away(listen, publish):
    wish = ("--trigger", "changed_appointment", "--resource", "51423")
    dear = '{"all": [{"field": "price", "op": "gt", "value": 100}]}'
    with listen(*wish, "--filters", dear, "--count", "1") as listening:
        listening.rest_of("Listening at ")

        cheap = publish("appointment.edit", "--example", "--data", '{"price": 99}')
        paid = publish("appointment.edit", "--example", "--data", '{"price": 101}')

        assert listening.wait() == 0
    assert "fires no webhook" in cheap.output
    assert "fires 1 webhook." in paid.output
    assert '"price": 101' in "\n".join(listening.lines)


def test_a_stopped_listener_unsubscribes(running, listen):
    with listen("--trigger", "purchase") as listening:
        url = listening.rest_of("Listening at ").partition(",")[0]

        assert listening.stop() == 0

    assert listening.lines[-1] == "Unsubscribed."
    assert url not in subscription_urls(running)


def test_a_listener_that_answers_410_says_that_this_ended_its_subscription(
    running, listen, publish
):
    with listen("--trigger", "new_user", "--answer", "410") as listening:
        url = listening.rest_of("Listening at ").partition(",")[0]

        publish("user.new", "--example")

        assert listening.wait() == 0
    assert "answered 410" in "\n".join(listening.lines)
    assert listening.lines[-1] == ("The subscription has ended, since this receiver answered 410.")
    assert url not in subscription_urls(running)


def test_without_a_trigger_it_says_that_nothing_was_subscribed():
    with RelaisProcess("listen") as listening:
        assert "Nothing was subscribed." in listening.rest_of("Listening at ")
        assert listening.stop() == 0


def test_a_record_can_come_from_a_file(tmp_path, publish):
    (tmp_path / "record.json").write_text(json.dumps({"id": 7, "price": 15}))

    published = publish("appointment.create", "--data", f"@{tmp_path / 'record.json'}")

    assert published.exit_code == 0
    assert published.output.startswith("Accepted evt_")


def test_the_same_idempotency_key_is_said_to_be_a_repetition(publish):
    once = ("appointment.create", "--data", '{"id": 8}', "--idempotency-key", "e2e-8")
    publish(*once)

    again = publish(*once)

    assert "It had been accepted before" in again.output


def test_a_wrong_record_is_refused_by_field(publish):
    refused = publish("appointment.create", "--data", '{"id": 9, "price": "dear"}')

    assert isinstance(refused.exception, RefusedError)
    assert "data.price" in str(refused.exception)


def test_a_relais_that_is_not_there_is_named(publish):
    lost = publish("a.b", "--data", "{}", "--url", "http://127.0.0.1:9")

    assert lost.exit_code == 1
    assert "Relais does not answer at http://127.0.0.1:9" in lost.output
