"""Facts about the repository itself: what a reader of it may rely on."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("runtime.lock", "dev.lock")
MAX_MODULE_LINES = 300

# In two parts, because no file of the project names one, this file included.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
    )
)
A_DEVELOPERS_PATH = re.compile(r"(?<![\w.)}-])/(?:home|Users|root|work)/[\w.]")


def test_every_make_target_has_a_help_text():
    makefile = (ROOT / "Makefile").read_text()

    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)
    explained = re.findall(r"^([a-z][a-z-]*):.* ## \S", makefile, re.MULTILINE)

    assert targets == explained
    assert len(targets) > 1


def test_every_make_target_runs_even_if_a_file_has_its_name():
    makefile = (ROOT / "Makefile").read_text()

    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    assert sorted(targets) == sorted(" ".join(phony).split())


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_for_every_package(name):
    lock = (ROOT / "requirements" / name).read_text()

    packages = re.findall(r"^[a-z].*?(?=^[a-z]|\Z)", lock, re.MULTILINE | re.DOTALL)
    unpinned = [p for p in packages if not re.match(r"[\w.-]+==\S+.*\\\n +--hash=sha256:", p)]

    assert len(packages) > len(declared_dependencies())
    assert unpinned == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_works_with_any_package_index(name):
    lock = (ROOT / "requirements" / name).read_text()

    assert "://" not in lock
    assert "--index-url" not in lock


def test_the_npm_lock_works_with_any_package_index():
    lock = (ROOT / "zapier_app" / "package-lock.json").read_text()

    assert '"integrity"' in lock
    assert '"resolved": "http' not in lock


def test_what_runs_is_what_was_tested():
    runtime, dev = (pins((ROOT / "requirements" / name).read_text()) for name in LOCKS)

    assert runtime.items() <= dev.items()


def test_every_direct_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    runtime = pins((ROOT / "requirements" / "runtime.lock").read_text())

    assert {package_name(line) for line in project["dependencies"]} <= runtime.keys()


def test_every_dependency_has_its_reason_in_decision_0003():
    decision = (ROOT / "docs/decisions/0003-dependencies.md").read_text()

    explained = re.findall(r"^- `([a-z0-9-]+)`: \S", decision, re.MULTILINE)

    assert sorted(explained) == sorted(declared_dependencies())


def test_no_file_names_a_package_registry():
    guilty = [
        f"{path}: {host}" for path, text in texts() for host in REGISTRY_HOSTS if host in text
    ]

    assert guilty == []


def test_no_file_holds_a_path_of_a_developers_machine():
    guilty = [f"{path}: {match[0]}" for path, text in texts() if (match := find_path(text))]

    assert guilty == []


@pytest.mark.parametrize("home", ["home", "Users", "root", "work"])
def test_a_path_of_a_developers_machine_is_recognised(home):
    text = f"data in /{home}/ada/relais"

    assert find_path(text)


@pytest.mark.parametrize(
    "text", ["GET /accounts/home/me", "$(CURDIR)/var/tree", "https://example.com/root/cause"]
)
def test_other_paths_are_left_alone(text):
    assert not find_path(text)


def test_no_module_is_too_long_to_be_one_thing():
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for package in ("app", "relais_client")
        for path in (ROOT / package).rglob("*.py")
    }

    assert len(sizes) > 1
    assert {path: size for path, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def declared_dependencies() -> list[str]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = pyproject["project"]["dependencies"] + pyproject["dependency-groups"]["dev"]
    return [package_name(line) for line in lines]


def package_name(requirement: str) -> str:
    return re.split(r"[<>=~! \[;]", requirement, maxsplit=1)[0]


def pins(lock: str) -> dict[str, str]:
    """Return each package's version by its name."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))


def find_path(text: str) -> re.Match[str] | None:
    return A_DEVELOPERS_PATH.search(text)


def texts() -> Iterator[tuple[str, str]]:
    """Yield path and content of every text file that is, or is about to be, in the repository."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what belongs to the repository is unknown")
    listed = subprocess.run(  # noqa: S603  the command is ours
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode()
