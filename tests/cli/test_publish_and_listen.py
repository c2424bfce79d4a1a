"""What `relais publish` and `relais listen` refuse before they talk to anybody."""

import pytest

PUBLISH = ("publish", "appointment.create", "--account", "demo", "--key", "rk_pub_x")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (PUBLISH, "Give the record with --data, or take the --example."),
        ((*PUBLISH, "--data", "{"), "--data"),
        ((*PUBLISH, "--data", "[1]"), "The record is a JSON object."),
        ((*PUBLISH, "--data", "@nowhere.json"), "nowhere.json"),
        ((*PUBLISH[:-2], "--data", "{}"), "RELAIS_KEY"),
        ((*PUBLISH, "--data", "{}", "--url", "example.com"), "base_url"),
        (("listen", "--filters", "{}"), "need a --trigger"),
        (("listen", "--trigger", "purchase", "--filters", "{"), "--filters"),
        (("listen", "--secret", "nonsense"), "not a signing secret"),
        (("listen", "--trigger", "purchase"), "--trigger needs an account --key"),
    ],
)
def test_a_mistake_in_the_command_is_named(relais, args, said):
    refused = relais(*args)

    assert refused.code == 2
    assert said in refused.err


def test_an_example_of_an_unknown_event_type_points_to_the_list(relais):
    refused = relais("publish", "no.such", "--account", "demo", "--key", "rk_pub_x", "--example")

    assert refused.code == 2
    assert "relais catalog list" in refused.err


def test_the_record_can_come_from_standard_input(relais):
    refused = relais(*PUBLISH, "--data", "-", stdin="[]")

    assert "The record is a JSON object." in refused.err
