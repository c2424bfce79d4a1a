"""The JSON types, as the rest of the code spells them."""

from collections.abc import Mapping, Sequence
from typing import Any

# A parsed JSON value. ``Any`` is honest here: JSON enters from outside, and
# `app.core.jsontext` and the catalog checks decide what it may be.
Json = Any
JsonObject = Mapping[str, Json]
JsonList = Sequence[Json]
