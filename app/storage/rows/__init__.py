"""Rows to values and back: explicit, both ways, one module per part of the store.

A function `*_row` makes the values of one row; the function of the bare name reads one.
"""

from typing import Any, TypeAlias

from sqlalchemy import Row

# A row of any statement: which columns it has is for its reader to know.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
