"""`relais account` and `relais key`: an operator on the machine, without the API."""

import json
import re

import pytest

from app.catalog.load import DATA


@pytest.fixture(autouse=True)
def _one_catalog(monkeypatch):
    """Checking all four takes longer than the tests."""
    monkeypatch.setenv("RELAIS_CATALOGS", str(DATA / "bookings.yaml"))


def lines_of(text):
    return [re.split(r"  +", line) for line in text.splitlines()]


def test_an_account_is_made_and_shown(relais):
    made = relais(
        "account",
        "create",
        "salon-1",
        "--name",
        "Salon One",
        "--language",
        "fr",
        "--catalog",
        "bookings",
        "--feature",
        "login_required=on",
    )

    shown = relais("account", "show", "salon-1")

    assert (made.code, shown.code) == (0, 0)
    assert made.out == shown.out
    assert "name:      Salon One" in shown.out
    assert "language:  fr" in shown.out
    assert "features:  login_required=on" in shown.out


def test_accounts_are_listed_under_a_header(relais):
    relais("account", "create", "salon-1")
    relais("account", "create", "tanaka", "--name", "田中商会")

    header, _, *rows = lines_of(relais("account", "list").out)

    assert header == ["reference", "id", "name", "on", "catalogs"]
    assert {row[0] for row in rows} == {"salon-1", "tanaka"}


def test_columns_stand_below_each_other_where_characters_are_wide(relais):
    relais("account", "create", "salon-1", "--name", "Salon")
    relais("account", "create", "tanaka", "--name", "田中商会")

    rows = relais("account", "list").out.splitlines()[2:]

    [wide] = [row for row in rows if "tanaka" in row]
    [narrow] = [row for row in rows if "salon-1" in row]
    assert wide.index("yes") + len("田中商会") == narrow.index("yes")


def test_an_account_is_switched_off(relais):
    relais("account", "create", "salon-1")

    changed = relais("account", "set", "salon-1", "--disabled")

    assert "enabled:   no" in changed.out


def test_a_reference_that_is_taken_is_one_line(relais):
    relais("account", "create", "salon-1")

    again = relais("account", "create", "salon-1")

    assert again.code == 1
    assert again.err.startswith("relais: ")
    assert again.out == ""


def test_a_feature_is_on_or_off(relais):
    wrong = relais("account", "create", "salon-1", "--feature", "login_required=perhaps")

    assert wrong.code == 2
    assert "NAME=on or NAME=off" in wrong.err


def test_an_unknown_account_is_one_line(relais):
    assert relais("account", "show", "nobody").code == 1


@pytest.mark.parametrize(
    ("owner", "beginning"), [((), "rk_pub_"), (("--account", "salon-1"), "rk_acc_")]
)
def test_a_key_is_shown_once_on_a_line_of_its_own(relais, owner, beginning):
    relais("account", "create", "salon-1")

    made = relais("key", "create", "--name", "backend", *owner)
    listed = relais("key", "list", *owner)

    key = made.out.strip()
    assert key.startswith(beginning)
    assert "not shown again" in made.err
    assert "backend" in listed.out
    assert key not in listed.out


def test_a_key_is_revoked_by_its_id(relais):
    relais("key", "create", "--name", "backend")
    key_id = lines_of(relais("key", "list").out)[2][0]

    revoked = relais("key", "revoke", key_id)

    assert revoked.out == f"{key_id} is revoked.\n"
    assert "revoked 2" in relais("key", "list").out


def test_a_key_can_expire(relais):
    relais("key", "create", "--name", "for a week", "--days", "7")

    assert "expires 2" in relais("key", "list").out


def test_the_data_folder_can_be_named(relais, tmp_path):
    elsewhere = ("--data", str(tmp_path / "elsewhere"))
    relais("account", "create", "salon-1", *elsewhere)

    assert "salon-1" in relais("account", "list", *elsewhere).out
    assert "salon-1" not in relais("account", "list").out


OVERLAY = {
    "optional_fields": {"appointment": ["mobile"]},
    "custom_fields": [
        {"subject": "appointment", "key": "level", "type": "string", "label": "Niveau"}
    ],
    "forms": [],
}


@pytest.fixture
def salon(relais):
    relais("account", "create", "salon-1")


@pytest.mark.usefixtures("salon")
def test_an_overlay_is_set_from_a_file_and_shown(relais, tmp_path):
    file = tmp_path / "overlay.json"
    file.write_text(json.dumps(OVERLAY))

    relais("account", "overlay", "salon-1", str(file))
    shown = json.loads(relais("account", "overlay", "salon-1").out)

    assert shown["optional_fields"] == {"appointment": ["mobile"]}
    assert [one["label"] for one in shown["custom_fields"]] == ["Niveau"]


@pytest.mark.usefixtures("salon")
def test_resources_are_set_from_a_file_and_listed(relais, tmp_path):
    file = tmp_path / "schedules.json"
    file.write_text('{"resources": [{"id": "2", "label": "Yoga"}, {"id": "1", "label": "Bain"}]}')

    set_ = relais("account", "resources", "salon-1", "schedule", str(file))
    listed = relais("account", "resources", "salon-1", "schedule")

    assert (set_.code, set_.out) == (0, listed.out)
    assert [row[:2] for row in lines_of(listed.out)[2:]] == [["1", "Bain"], ["2", "Yoga"]]


@pytest.mark.usefixtures("salon")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"surprise": 1}', "surprise: "),
        ('{"custom_fields": [{"subject": "appointment"}]}', "custom_fields.0.key: "),
        ("{", "Line 1, column 2"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_as_by_the_api(relais, tmp_path, content, said):
    file = tmp_path / "overlay.json"
    file.write_text(content)

    ran = relais("account", "overlay", "salon-1", str(file))

    assert ran.code == 1
    assert said in ran.err
