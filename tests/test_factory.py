"""The composition root: the key file, and what a process opens."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app import factory
from app.config import SettingsError


def test_the_first_start_makes_a_key_file_for_its_owner(tmp_path):
    text = factory._key_file(tmp_path)

    [file] = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("secret.keys", 0o600)
    assert factory._key_file(tmp_path) == text == file.read_text().strip()


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(factory._key_file, [tmp_path] * 8))

    assert len(set(texts)) == 1


def test_a_key_that_could_not_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(factory.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        factory._key_file(tmp_path)
    monkeypatch.undo()

    assert list(tmp_path.iterdir()) == []
    assert factory._key_file(tmp_path)


def test_an_empty_key_file_is_never_written_over(tmp_path):
    (tmp_path / "secret.keys").touch()

    with pytest.raises(SettingsError, match="Restore it"):
        factory._key_file(tmp_path)
