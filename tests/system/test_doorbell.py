"""The bell between the processes of one machine."""

import contextlib
import tempfile

import pytest

from app.system.doorbell import LocalDoorbell


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return where bells are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def bell(*, listens, deployment="sqlite:///relais.db"):
    return contextlib.closing(LocalDoorbell(deployment, listens=listens))


def test_every_listener_of_the_deployment_hears_it():
    with bell(listens=True) as one, bell(listens=True) as other, bell(listens=False) as ringer:
        ringer.ring()

        assert one.wait(1)
        assert other.wait(1)


def test_other_deployments_do_not_hear_it():
    with bell(listens=True, deployment="sqlite:///other.db") as other, bell(listens=False) as mine:
        mine.ring()

        assert not other.wait(0)


def test_rings_before_the_wait_are_one():
    with bell(listens=True) as listener:
        listener.ring()
        listener.ring()

        assert listener.wait(1)
        assert not listener.wait(0)


def test_the_bell_of_a_dead_listener_is_removed(folder):
    with bell(listens=True) as dead, bell(listens=True) as alive:
        dead._socket.close()

        alive.ring()

        assert alive.wait(1)
        assert len(list(next(folder.iterdir()).iterdir())) == 1


def test_nothing_is_left_when_the_last_one_closes(folder):
    with bell(listens=True), bell(listens=False):
        pass

    assert list(folder.iterdir()) == []


def test_ringing_goes_on_after_the_listeners_have_gone():
    with bell(listens=False) as ringer:
        with bell(listens=True):
            pass

        ringer.ring()


def test_a_link_in_its_place_is_refused_and_what_it_leads_to_stays(folder):
    with bell(listens=True):
        [name] = [one.name for one in folder.iterdir()]
    (folder / "documents").mkdir()
    (folder / "documents" / "letter").write_text("Dear all")
    (folder / name).symlink_to(folder / "documents")

    with pytest.raises(PermissionError, match="is not a folder of this user"):
        LocalDoorbell("sqlite:///relais.db", listens=False)

    assert (folder / "documents" / "letter").exists()
