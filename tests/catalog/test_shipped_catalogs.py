"""What every catalog file keeps to, and what the bookings' documents say."""

import time
from collections import Counter

import pytest
from catalog_files import CATALOG_FILES, PRODUCT_FILES

from app.catalog import SHIPPED, load_catalog, load_registry
from app.catalog.load import BUILT_IN, DATA
from app.core.accounts import Overlay
from app.core.catalogs import Registry
from app.core.fields import FieldType, KeysFrom, Text
from app.core.shapes import shape_of_trigger
from app.services.connector_fields import output_fields
from app.services.connectors import zapier_catalog

NOT_CATALOGS = {"envelope.yaml"}


def fields_within(fields, prefix=""):
    """Yield every field with its dotted path, nested ones included."""
    for field in fields:
        yield f"{prefix}{field.key}", field
        yield from fields_within(field.fields, f"{prefix}{field.key}.")


def everything_optional(catalog):
    """Return an overlay that enables every optional field of a catalog."""
    return Overlay(
        optional_fields=frozenset(
            f"{subject.key}.{path}"
            for subject in catalog.subjects.values()
            for path, field in fields_within(subject.fields)
            if field.optional
        )
    )


def a_registry_of(catalog):
    """Return a registry of this catalog alone."""
    return Registry(catalogs={catalog.key: catalog}, envelope=load_registry().envelope)


def texts_within(value):
    """Yield every Text inside a catalog value."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, tuple | frozenset):
        for part in value:
            yield from texts_within(part)
    elif isinstance(value, dict):
        yield from texts_within(tuple(value.values()))
    elif hasattr(value, "__slots__"):
        yield from texts_within(tuple(getattr(value, name) for name in value.__slots__))


@pytest.fixture(scope="module", params=CATALOG_FILES, ids=lambda path: path.name)
def catalog(request):
    return load_catalog(request.param)


@pytest.fixture(scope="module")
def bookings():
    return load_catalog(DATA / "bookings.yaml")


def test_every_file_beside_the_shipped_ones_is_shipped():
    files = {path.name for path in DATA.glob("*.yaml")} - NOT_CATALOGS

    assert files == {*SHIPPED, BUILT_IN}


def test_all_catalogs_live_together_and_load_in_less_than_a_second():
    started = time.process_time()

    registry = load_registry(PRODUCT_FILES)

    assert time.process_time() - started < 1
    assert len(registry.catalogs) == len(CATALOG_FILES)


def test_every_text_is_in_three_languages_and_trimmed(catalog):
    texts = list(texts_within(catalog))

    assert len(texts) > 20
    for text in texts:
        for words in (text.en, text.fr, text.ja):
            assert words
            assert words == words.strip()


def test_japanese_is_japanese(catalog):
    helps = [trigger.help.ja for trigger in catalog.triggers.values()]

    assert all(any("\u3040" <= letter <= "\u30ff" for letter in text) for text in helps)


def test_french_uses_typographic_apostrophes(catalog):
    assert [text.fr for text in texts_within(catalog) if "'" in text.fr] == []


def test_every_subject_has_a_trigger_and_every_event_is_heard(catalog):
    heard = {name for trigger in catalog.triggers.values() for name in trigger.event_names}

    assert {event.name for event in catalog.event_types()} == heard


def test_every_enumeration_feature_and_resource_is_used(catalog):
    fields = [field for subject in catalog.subjects.values() for field in subject.fields]
    choices = {field.choices for _, field in fields_within(fields)}
    required = {need.feature for trigger in catalog.triggers.values() for need in trigger.requires}
    restrictions = [trigger.restriction for trigger in catalog.triggers.values()]

    assert [key for key, each in catalog.enumerations.items() if each not in choices] == []
    assert required == set(catalog.features)
    assert {each.kind for each in restrictions if each} == set(catalog.resources)


def test_every_resource_kind_has_samples_to_show(catalog):
    for kind in catalog.resources.values():
        ids = [sample[0] for sample in kind.samples]

        assert ids
        assert len(ids) == len(set(ids))


def test_the_sample_payload_belongs_to_a_sample_resource(catalog):
    for trigger in catalog.triggers.values():
        if trigger.restriction is None:
            continue
        fields = dict(fields_within(catalog.subjects[trigger.subject].fields))
        sample = fields[trigger.restriction.field].sample
        kind = catalog.resources[trigger.restriction.kind]

        assert str(sample) in [each[0] for each in kind.samples], trigger.key


def test_an_email_field_is_personal(catalog):
    for subject in catalog.subjects.values():
        for path, field in fields_within(subject.fields):
            if field.key in {"email", "full_name", "mobile", "address"}:
                assert field.personal, f"{subject.key}.{path}"


def test_every_datetime_has_an_offset_in_its_sample(catalog):
    for subject in catalog.subjects.values():
        for path, field in fields_within(subject.fields):
            if field.type is FieldType.DATETIME and field.sample is not None:
                assert field.sample.endswith("Z") or field.sample[-6] in "+-", path


def test_no_two_output_fields_of_a_trigger_have_one_label(catalog):
    overlay = everything_optional(catalog)
    for trigger in catalog.triggers.values():
        shape = shape_of_trigger(a_registry_of(catalog), trigger, overlay)
        labels = Counter(field["label"] for field in output_fields(shape))

        assert [label for label, count in labels.items() if count > 1] == [], trigger.key


def test_every_filter_input_has_a_help_text(catalog):
    for trigger in zapier_catalog(a_registry_of(catalog))["triggers"]:
        helpless = [offered["field"] for offered in trigger["filters"] if not offered["help"]]

        assert helpless == [], trigger["key"]


@pytest.mark.parametrize("language", ["en", "fr", "ja"])
def test_no_help_repeats_its_label(catalog, language):
    for subject in catalog.subjects.values():
        for path, field in fields_within(subject.fields):
            label, told = field.label, field.help
            same = told and told.in_language(language) == label.in_language(language)
            assert not same, f"{subject.key}.{path}"


def test_japanese_writes_the_moment_of_a_trigger_in_one_way(catalog):
    assert [text.ja for text in texts_within(catalog) if "時に発動" in text.ja] == []


# What the product's documents say of bookings.

WIRE_VALUES = [
    ("new_user", ["new"]),
    ("changed_user", ["new", "change", "delete"]),
    ("new_appointment", ["create"]),
    ("changed_appointment",
     ["create", "edit", "place", "pending", "destroy", "restore", "approve", "revert"]),
    ("new_form", ["new"]),
    ("changed_form", ["new", "change", "delete", "restore"]),
    ("email_sent", ["send"]),
    ("reminder", ["reminder"]),
    ("follow_up", ["follow_up"]),
    ("purchase", ["purchase"]),
]  # fmt: skip

RESTRICTIONS = [
    ("new_user", None),
    ("changed_user", None),
    ("new_appointment", ("schedule", "schedule_id")),
    ("changed_appointment", ("schedule", "schedule_id")),
    ("new_form", ("form_template", "form_template_id")),
    ("changed_form", ("form_template", "form_template_id")),
    ("email_sent", None),
    ("reminder", ("schedule", "schedule_id")),
    ("follow_up", ("schedule", "schedule_id")),
    ("purchase", None),
]

SEED_LABELS = [
    ("new_user", "Nouvel utilisateur", "新規ユーザー登録"),
    ("changed_user", "Utilisateur modifié", "ユーザー情報の更新"),
    ("new_appointment", "Nouveau rendez-vous", "新規予約登録"),
    ("changed_appointment", "Rendez-vous modifié", "予約の更新"),
    ("new_form", "Nouveau formulaire indépendant", "単独フォームの発信"),
    ("changed_form", "Formulaire indépendant modifié", "単独フォームの更新"),
    ("email_sent", "Email envoyé", "メール配信"),
    ("reminder", "Rappel", "リマインダー"),
    ("follow_up", "Suivi", "フォローアップ"),
    ("purchase", "Achat", "購入"),
]

PAYMENT_STATUSES = [
    (2, "Pending approval"),
    (4, "Payment authorization pending"),
    (6, "Payment in progress…"),
    (10, "Pay later"),
    (11, "Unknown status code received"),
    (21, "Payment pending at payment provider"),
    (31, "Payment received but fraud check failed"),
    (35, "Payment received but reverted by administrator"),
    (40, "Cancelled due to time out"),
    (42, "User cancelled"),
    (44, "Administrator cancelled"),
    (46, "Payment was cancelled"),
]

OPTIONAL_FIELDS = [
    ("user", {"mobile", "phone", "address", "country", "field_1", "field_2", "super_field"}),
    ("appointment", {"mobile", "phone", "address", "country", "field_1", "field_2",
                     "super_field", "field_1_r", "field_2_r", "description"}),
    ("form", set()),
    ("purchase", {"mobile", "phone", "address", "country"}),
]  # fmt: skip


def test_bookings_have_ten_triggers(bookings):
    assert list(bookings.triggers) == [trigger for trigger, _ in WIRE_VALUES]


@pytest.mark.parametrize(("trigger", "values"), WIRE_VALUES)
def test_wire_values_are_the_products_english_words(bookings, trigger, values):
    assert [event.value for event in bookings.triggers[trigger].events] == values


@pytest.mark.parametrize(("trigger", "restriction"), RESTRICTIONS)
def test_bookings_are_restricted_by_schedule_or_form(bookings, trigger, restriction):
    found = bookings.triggers[trigger].restriction

    assert (found and (found.kind, found.field)) == restriction


@pytest.mark.parametrize(("trigger", "french", "japanese"), SEED_LABELS)
def test_labels_are_the_ones_that_users_know(bookings, trigger, french, japanese):
    label = bookings.triggers[trigger].label

    assert (label.fr, label.ja) == (french, japanese)


def test_roles_leave_out_six(bookings):
    assert [role.value for role in bookings.roles] == [0, 1, 2, 3, 4, 5, 7]


def test_only_documented_payment_codes_are_there(bookings):
    choices = bookings.enumerations["payment_status"]

    assert [(choice.value, choice.label.en) for choice in choices] == PAYMENT_STATUSES


@pytest.mark.parametrize("subject", ["appointment", "reminder", "follow_up"])
def test_the_status_message_is_the_label_of_the_status_code(bookings, subject):
    fields = {field.key: field for field in bookings.subjects[subject].fields}

    assert fields["status_message"].label_of == "status_code"
    assert fields["status_code"].choices == bookings.enumerations["payment_status"]


def test_messages_divert_and_nothing_else_does(bookings):
    diverting = {event.name for event in bookings.event_types() if event.diverts}

    assert diverting == {"email.send", "reminder.reminder", "follow_up.follow_up"}


def test_what_the_api_writes_is_silent_unless_it_notifies(bookings):
    (silent,) = bookings.silent_origins

    assert (silent.origin, silent.unless_notified, silent.events) == ("api", True, frozenset())


@pytest.mark.parametrize(
    ("trigger", "feature"), [("new_user", "login_required"), ("purchase", "shop")]
)
def test_a_trigger_that_needs_a_feature_says_so(bookings, trigger, feature):
    assert [need.feature for need in bookings.triggers[trigger].requires] == [feature]
    assert bookings.features[feature].default is True


def test_other_triggers_need_no_feature(bookings):
    needy = {key for key, trigger in bookings.triggers.items() if trigger.requires}

    assert needy == {"new_user", "purchase"}


def test_an_attached_form_changes_what_it_is_attached_to(bookings):
    attachments = bookings.subjects["form"].attachments

    assert [(each.parent, each.event_type, each.field) for each in attachments] == [
        ("appointment", "appointment.edit", "form"),
        ("user", "user.change", "form"),
    ]


@pytest.mark.parametrize("subject", ["user", "appointment"])
def test_a_form_inside_another_record_reads_its_id_from_the_forms_id(bookings, subject):
    fields = dict(fields_within(bookings.subjects[subject].fields))

    assert list(fields["form"].fields) == [
        fields[f"form.{key}"] for key in ("form_id", "form_template_id", "form_name", "answers")
    ]
    assert fields["form.form_id"].path_in_data == "id"
    assert fields["form.answers"].keys_from is KeysFrom.FORMS


def test_the_users_own_role_is_not_the_role_of_who_did_it(bookings):
    fields = {field.key: field for field in bookings.subjects["user"].fields}

    assert fields["user_role"].path_in_data == "role"
    assert [choice.value for choice in fields["user_role"].choices] == [3, 4, -1]


@pytest.mark.parametrize(("subject", "optional"), OPTIONAL_FIELDS)
def test_what_accounts_can_leave_out_is_optional(bookings, subject, optional):
    fields = bookings.subjects[subject].fields

    assert {field.key for field in fields if field.optional} == optional


@pytest.mark.parametrize(
    "trigger", ["new_appointment", "changed_appointment", "reminder", "follow_up"]
)
def test_bookings_can_be_filtered_by_the_class_and_its_teacher(bookings, trigger):
    assert {"slot.title", "slot.name"} <= set(bookings.triggers[trigger].filters)


def test_only_an_example_of_a_deletion_is_marked_as_deleted(bookings):
    deleted = {event.name for event in bookings.event_types() if event.samples.get("deleted")}

    assert deleted == {"user.delete", "appointment.destroy", "form.delete"}


def test_the_system_itself_reminds_and_follows_up(bookings):
    for name in ("reminder", "follow_up"):
        assert bookings.subjects[name].events[name].samples["role"] == 7


def test_a_purchase_says_its_currency(bookings):
    fields = [field.key for field in bookings.subjects["purchase"].fields]

    assert fields[fields.index("price") + 1] == "currency"


def test_changed_appointments_offer_event_role_and_status_code_first(bookings):
    filters = bookings.triggers["changed_appointment"].filters

    assert filters[:3] == ("event", "role", "status_code")
