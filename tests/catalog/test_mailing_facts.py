"""What GetResponse's help and reference say of its webhooks, as tables."""

import pytest

from app.catalog import load_catalog
from app.catalog.load import DATA
from app.core.catalogs import Catalog, Restriction
from app.core.fields import Field, FieldType

# (trigger, the product's wire value). The first nine are the ones users see in the product.
WIRE_VALUES = [
    ("link_clicked", "contact_clicked_message_link"),
    ("message_opened", "contact_opened_message"),
    ("contact_subscribed", "contact_added"),
    ("contact_copied", "contact_copied"),
    ("contact_moved", "contact_moved"),
    ("contact_unsubscribed", "contact_removed_link"),
    ("sms_link_clicked", "contact_clicked_sms_link"),
    ("custom_field_changed", "contact_custom_field_changed"),
    ("import_finished", "contacts_import_finished"),
    ("bounce_removed", "contact_removed_bounce"),
    ("email_changed", "contact_email_changed"),
    ("contact_rejected", "contact_rejected"),
    ("report_file_status_changed", "custom_reports_file_status_changed"),
]

# What the users of the French edition read.
FRENCH_LABELS = [
    ("link_clicked", "Lien cliqué"),
    ("message_opened", "Message ouvert"),
    ("contact_subscribed", "Contact inscrit"),
    ("contact_copied", "Contact copié"),
    ("contact_moved", "Contact déplacé"),
    ("contact_unsubscribed", "Contact désinscrit"),
    ("sms_link_clicked", "Lien SMS cliqué"),
    ("custom_field_changed", "La valeur du champ personnalisé a été modifiée"),
    ("import_finished", "Importation terminée"),
]

# (trigger, the top-level fields of its payload)
PARTS = [
    ("link_clicked", ["contact", "message", "click_track"]),
    ("message_opened", ["contact", "message"]),
    ("contact_subscribed", ["contact", "custom_fields"]),
    ("contact_copied", ["contact", "source_campaign"]),
    ("contact_moved", ["contact", "source_campaign"]),
    ("contact_unsubscribed", ["contact", "custom_fields"]),
    ("sms_link_clicked", ["contact", "sms", "click_track"]),
    ("custom_field_changed", ["contact", "change", "custom_field"]),
    ("email_changed", ["contact", "previous_email"]),
]

# (trigger, payload path, where the product's JSON has it)
PRODUCT_PATHS = [
    ("link_clicked", "contact.contact_id", "contact.contactId"),
    ("link_clicked", "contact.campaign.campaign_id", "contact.campaign.campaignId"),
    ("link_clicked", "message.resource_type", "message.resourceType"),
    ("link_clicked", "message.resource_id", "message.resourceId"),
    ("link_clicked", "click_track.click_track_id", "clickTrack.clickTrackId"),
    ("sms_link_clicked", "sms.sms_id", "sms.smsId"),
    ("contact_moved", "source_campaign.campaign_id", "contact.sourceCampaign.campaignId"),
    ("import_finished", "statistics.added_to_list", "import.statistics.addedToList"),
    ("import_finished", "campaign.campaign_id", "import.campaign.campaignId"),
]

RECORD_IDS = [
    ("link_clicked", "clickTrack.clickTrackId"),
    ("message_opened", "message.resourceId"),
    ("contact_subscribed", "contact.contactId"),
    ("contact_moved", "contact.contactId"),
    ("email_changed", "contact.contactId"),
    ("import_finished", "import.importId"),
]

IMPORT_STATUSES = [
    "uploaded", "to_review", "review", "approved", "rejected", "finished", "canceled",
]  # fmt: skip

SILENT_ON_IMPORT = {"contact.added", "custom_field.changed"}
NEEDS_SMS_MARKETING = {"sms_link_clicked"}
NOT_BOUND_TO_A_LIST = {"report_file_status_changed"}


@pytest.fixture(scope="module")
def mailing() -> Catalog:
    return load_catalog(DATA / "mailing.yaml")


def _steps(fields: tuple[Field, ...], path: str) -> list[Field]:
    """Return the field of every step of a dotted payload path."""
    steps: list[Field] = []
    for key in path.split("."):
        step = next(field for field in fields if field.key == key)
        steps.append(step)
        fields = step.fields
    return steps


def _fields_of(catalog: Catalog, trigger: str) -> tuple[Field, ...]:
    return catalog.subjects[catalog.triggers[trigger].subject].fields


def test_there_are_these_triggers_in_the_order_of_the_product(mailing):
    assert list(mailing.triggers) == [trigger for trigger, _ in WIRE_VALUES]


@pytest.mark.parametrize(("trigger", "value"), WIRE_VALUES)
def test_a_trigger_sends_the_product_s_wire_value(mailing, trigger, value):
    assert [event.value for event in mailing.triggers[trigger].events] == [value]


@pytest.mark.parametrize(("trigger", "label"), FRENCH_LABELS)
def test_a_french_label_is_the_product_s_own(mailing, trigger, label):
    assert mailing.triggers[trigger].label.fr == label


@pytest.mark.parametrize(("trigger", "keys"), PARTS)
def test_a_payload_has_the_parts_of_its_event(mailing, trigger, keys):
    assert [field.key for field in _fields_of(mailing, trigger)] == keys


@pytest.mark.parametrize(("trigger", "path", "product_path"), PRODUCT_PATHS)
def test_publishers_may_send_the_product_s_camel_case(mailing, trigger, path, product_path):
    steps = _steps(_fields_of(mailing, trigger), path)

    assert ".".join(step.path_in_data for step in steps) == product_path


@pytest.mark.parametrize(("trigger", "source"), RECORD_IDS)
def test_the_record_is_named_by_the_product_s_id(mailing, trigger, source):
    subject = mailing.subjects[mailing.triggers[trigger].subject]

    assert subject.record_id.path_in_data == source
    assert subject.record_id.type is FieldType.STRING


def test_a_new_address_is_news_of_a_contact(mailing):
    (event,) = mailing.triggers["email_changed"].events
    subject = mailing.subjects[event.subject]

    assert event.name == "updated_contact.email_changed"
    assert (subject.record_id.key, subject.record_id.label.en) == (
        "updated_contact_id",
        "Updated contact ID",
    )


def test_imports_fire_neither_subscribed_nor_custom_field_changed(mailing):
    (silence,) = mailing.silent_origins

    assert silence.origin == "import"
    assert silence.events == SILENT_ON_IMPORT


def test_nothing_lifts_the_silence_of_imports(mailing):
    (silence,) = mailing.silent_origins

    assert not silence.unless_notified


def test_only_the_sms_trigger_needs_a_plan_feature(mailing):
    needs = {key: {need.feature for need in t.requires} for key, t in mailing.triggers.items()}

    expected = {key: {"sms_marketing"} if key in NEEDS_SMS_MARKETING else set() for key in needs}
    assert needs == expected


def test_sms_marketing_is_off_unless_the_plan_has_it(mailing):
    assert mailing.features["sms_marketing"].default is False


def test_every_trigger_but_the_report_can_be_restricted_to_lists(mailing):
    restrictions = {key: trigger.restriction for key, trigger in mailing.triggers.items()}

    free = {key for key, restriction in restrictions.items() if restriction is None}
    kinds = {restriction.kind for restriction in restrictions.values() if restriction}
    assert free == NOT_BOUND_TO_A_LIST
    assert kinds == {"mailing_list"}


def test_no_trigger_demands_a_list(mailing):
    assert not any(t.restriction.required for t in mailing.triggers.values() if t.restriction)


@pytest.mark.parametrize("trigger", ["contact_copied", "contact_moved"])
def test_a_transfer_is_restricted_by_the_list_it_arrived_on(mailing, trigger):
    restriction = mailing.triggers[trigger].restriction

    assert restriction == Restriction(kind="mailing_list", field="contact.campaign.campaign_id")


def test_a_campaign_is_called_a_list(mailing):
    campaign = _steps(_fields_of(mailing, "link_clicked"), "contact.campaign")[-1]

    assert (campaign.label.en, campaign.label.fr, campaign.label.ja) == ("List", "Liste", "リスト")


def test_the_statuses_of_an_import_are_the_product_s(mailing):
    status = _steps(_fields_of(mailing, "import_finished"), "status")[-1]

    assert [choice.value for choice in status.choices] == IMPORT_STATUSES


@pytest.mark.parametrize("path", ["contact.email", "contact.name", "contact.ip"])
def test_what_says_who_a_contact_is_is_personal(mailing, path):
    assert _steps(_fields_of(mailing, "link_clicked"), path)[-1].personal


def test_every_contact_has_the_same_fields(mailing):
    contacts = [
        field
        for subject in mailing.subjects.values()
        for field in subject.fields
        if field.key == "contact"
    ]

    assert len(contacts) == 7
    assert all(contact == contacts[0] for contact in contacts)


def test_nothing_diverts_and_nothing_collapses(mailing):
    assert not any(event.diverts for event in mailing.event_types())
    assert not any(subject.collapses for subject in mailing.subjects.values())


def test_the_product_has_no_roles(mailing):
    assert mailing.roles == ()
