"""How the demo tells one event from another, in the language of its account."""

import pytest

from app.catalog import load_registry
from app.cli.demo.telling import became, real_type, told
from relais_client import NewEvent

REGISTRY = load_registry()
CALL = NewEvent("agence-voix", "call.ringing", {"call": {"status": "ringing"}})
FORM = NewEvent("studio", "form.new", {"form_name": "Devis"})
ATTACHED = NewEvent("studio", "form.new", {"appointment": {"full_name": "Léa Fontaine"}})


@pytest.mark.parametrize("language", ["en", "fr", "ja"])
def test_a_value_of_an_enumeration_is_told_by_its_label(language):
    choices = REGISTRY.catalogs["calls"].enumerations["call_progress"]
    label = next(one.label for one in choices if one.value == "ringing")

    assert told(REGISTRY, CALL, language).endswith(label.in_language(language))


@pytest.mark.parametrize(("language", "mark"), [("en", ": "), ("fr", "\u00a0: "), ("ja", "：")])
def test_the_colon_is_written_as_in_the_language(language, mark):
    assert told(REGISTRY, FORM, language).endswith(f"{mark}Devis")
    assert told(REGISTRY, FORM, language).count(mark) == 1


def test_an_event_with_nothing_telling_is_its_label():
    event = NewEvent("studio", "form.new", {})

    assert ":" not in told(REGISTRY, event, "en")


def test_an_attached_form_is_said_to_count_as_a_change_of_the_other_record():
    assert real_type(REGISTRY, ATTACHED) == "appointment.edit"
    assert became(REGISTRY, ATTACHED, "en").startswith("appointment.edit (")
    assert "Léa Fontaine" in told(REGISTRY, ATTACHED, "fr")


def test_an_event_that_stays_what_it_is_became_nothing():
    assert became(REGISTRY, FORM, "en") is None
