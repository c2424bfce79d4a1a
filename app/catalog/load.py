"""From files to catalogs: read, check, build; then check names over all the files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from app.catalog.build import build_catalog, build_fields
from app.catalog.check import check_catalog, check_envelope
from app.catalog.problems import KeyPath, Problem, Source
from app.catalog.read import read_source
from app.core.catalogs import Catalog, Registry
from app.core.errors import CatalogError
from app.core.fields import Field
from app.core.jsontypes import Json, JsonObject

DATA: Final = Path(__file__).parent / "data"
# Every catalog that ships with Relais, in the order in which people see them.
SHIPPED: Final = ("bookings.yaml", "mailing.yaml", "calls.yaml", "documents.yaml")
# Always there, after the others: what Relais itself tells the vendor.
BUILT_IN: Final = "operations.yaml"

# What must be unique over all catalogs, and what it is called.
_UNIQUE: Final = {
    "features": "feature",
    "resources": "resource kind",
    "subjects": "subject",
    "triggers": "trigger",
}


def load_catalog(path: Path) -> Catalog:
    """Return the catalog in one file.

    Raises:
        CatalogError: The file does not follow the rules; every problem has one line,
            ``FILE:LINE: key.path: what is wrong, what to do``.
    """
    return build_catalog(_checked_source(path, check_catalog).data)


def load_registry(paths: Sequence[Path] = ()) -> Registry:
    """Return the catalogs in exactly these files; in the shipped ones where none is named.

    Our own operational events come with either.

    Raises:
        CatalogError: A file does not follow the rules, or two files use one name.
            It tells the problems of all files at once.
    """
    products = paths or tuple(DATA / name for name in SHIPPED)
    sources = _checked_sources((*products, DATA / BUILT_IN))
    if clashes := tuple(_clashes(sources)):
        raise CatalogError(clashes)
    catalogs = [build_catalog(source.data) for source in sources]
    return Registry(
        catalogs={catalog.key: catalog for catalog in catalogs}, envelope=_load_envelope()
    )


def _load_envelope() -> tuple[Field, ...]:
    source = _checked_source(DATA / "envelope.yaml", check_envelope)
    return build_fields(source.data["fields"])


def _checked_source(path: Path, check: Callable[[Json], Iterator[Problem]]) -> Source:
    source = read_source(path)
    if problems := tuple(source.describe(check(source.data))):
        raise CatalogError(problems)
    return source


def _checked_sources(paths: Sequence[Path]) -> tuple[Source, ...]:
    sources: list[Source] = []
    problems: list[str] = []
    for path in paths:
        try:
            sources.append(_checked_source(path, check_catalog))
        except CatalogError as error:
            problems.extend(error.problems)
    if problems:
        raise CatalogError(tuple(problems))
    return tuple(sources)


def _clashes(sources: Sequence[Source]) -> Iterator[str]:
    first_uses: dict[tuple[str, str], str] = {}
    for source in sources:
        problems: list[Problem] = []
        for what, name, at in _names(source.data):
            if first := first_uses.get((what, name)):
                message = f"the {what} {name} is there already, in {first}; rename one"
                problems.append(Problem(at=at, message=message))
            else:
                first_uses[what, name] = f"{source.name}:{source.line_of(at)}"
        yield from source.describe(problems)


def _names(data: JsonObject) -> Iterator[tuple[str, str, KeyPath]]:
    yield "catalog", data["catalog"], ("catalog",)
    for part, what in _UNIQUE.items():
        for name in data.get(part, {}):
            yield what, name, (part, name)
