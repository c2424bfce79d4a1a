"""Catalog files for tests: the shipped ones, and the parcels to break on purpose."""

import copy
from functools import cache
from pathlib import Path

from app.catalog import SHIPPED
from app.catalog.load import BUILT_IN, DATA
from app.catalog.problems import dotted
from app.catalog.read import read_source

ROOT = Path(__file__).parents[2]
PARCELS = ROOT / "docs" / "examples" / "parcels.catalog.yaml"
PRODUCT_FILES = [*(DATA / name for name in SHIPPED), PARCELS]
CATALOG_FILES = [*PRODUCT_FILES, DATA / BUILT_IN]
GONE = object()


@cache
def _parcels():
    return read_source(PARCELS).data


def parcels(*changes):
    """Return the parcels' plain data; each change is (path, new value or GONE)."""
    data = copy.deepcopy(_parcels())
    for path, value in changes:
        *parents, last = path
        part = data
        for key in parents:
            part = part[key]
        if value is GONE:
            del part[last]
        else:
            part[last] = value
    return data


def words(text):
    """Return the text in the three languages."""
    return {"en": text, "fr": text, "ja": text}


def said(problems):
    """Return problems as (path, message) pairs."""
    return [(dotted(problem.at), problem.message) for problem in problems]


def write(folder, text, name="test.yaml"):
    """Return the path of a new file that holds the text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
