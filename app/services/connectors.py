"""Write down what the connectors offer: one catalog feeds them all.

The Zapier app reads the catalog from its catalog.json, which is made here and nowhere
else; a test fails when the file is not what this module says.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from app.core.accounts import Overlay
from app.core.catalogs import Registry, ResourceKind, Trigger
from app.core.errors import CatalogError
from app.core.fields import Choice, Field, FieldType, Text
from app.core.jsontypes import Json
from app.core.shapes import Shape, flatten, shape_of_trigger
from app.services.connector_fields import output_fields, static_sample
from app.services.titles import title_case

_BOOLEANS: Final = (
    Choice(value=True, label=Text(en="Yes", fr="Oui", ja="はい")),
    Choice(value=False, label=Text(en="No", fr="Non", ja="いいえ")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Under which name a vendor offers its connectors.

    Attributes:
        name: What the service is called in connectors.
        base_url: Where it answers; None asks each user for the address.
        help_url: A page that tells users how to get an API key.
    """

    name: str = "Relais"
    base_url: str | None = None
    help_url: str = "https://relais.example/help/api-keys"


UNBRANDED: Final = Brand()


def zapier_catalog(registry: Registry, brand: Brand = UNBRANDED) -> dict[str, Json]:
    """Return the content of the Zapier app's catalog.json.

    Everything in it is in English: that is the only language of Zapier's editor.

    Raises:
        CatalogError: A trigger has the key of a hidden trigger that fills a drop-down.
    """
    triggers = tuple(registry.triggers())
    kinds = tuple(_kinds_in_use(registry, triggers))
    _refuse_clashes(triggers, kinds)
    return {
        "brand": asdict(brand),
        "resources": [_resource(kind) for kind in kinds],
        "triggers": [_trigger(registry, trigger) for trigger in triggers],
    }


def zapier_catalog_text(registry: Registry, brand: Brand = UNBRANDED) -> str:
    """Return the text of catalog.json; the same registry always gives the same text.

    Raises:
        CatalogError: See `zapier_catalog`.
    """
    return json.dumps(zapier_catalog(registry, brand), indent=2, ensure_ascii=False) + "\n"


def _kinds_in_use(registry: Registry, triggers: Sequence[Trigger]) -> Iterator[ResourceKind]:
    names = (trigger.restriction.kind for trigger in triggers if trigger.restriction)
    for name in dict.fromkeys(names):
        if kind := registry.resource_kind(name):
            yield kind


def _refuse_clashes(triggers: Sequence[Trigger], kinds: Sequence[ResourceKind]) -> None:
    keys = {trigger.key for trigger in triggers}
    clashes = tuple(
        f"the trigger {_list_key(kind)} must be renamed: the connectors list the resources"
        f" of the kind {kind.key} under this key"
        for kind in kinds
        if _list_key(kind) in keys
    )
    if clashes:
        raise CatalogError(clashes)


def _list_key(kind: ResourceKind) -> str:
    return f"{kind.key}_choices"


def _resource(kind: ResourceKind) -> dict[str, Json]:
    identifier, label, _ = kind.samples[0] if kind.samples else ("1", kind.label.en, {})
    return {
        "kind": kind.key,
        "list_key": _list_key(kind),
        "label": title_case(kind.label.en),
        "plural": title_case(kind.plural.en),
        "help": kind.help.en if kind.help else None,
        "sample": {"id": identifier, "label": label},
    }


def _trigger(registry: Registry, trigger: Trigger) -> dict[str, Json]:
    shape = shape_of_trigger(registry, trigger, Overlay())
    return {
        "key": trigger.key,
        "catalog": trigger.catalog,
        "label": title_case(trigger.label.en),
        "description": trigger.help.en,
        "noun": title_case(trigger.noun.en),
        "resource": _restriction(trigger),
        "filters": list(_filters(trigger, shape)),
        "output_fields": output_fields(shape),
        "sample": static_sample(registry, trigger, shape),
    }


def _restriction(trigger: Trigger) -> Json:
    if trigger.restriction is None:
        return None
    restriction = trigger.restriction
    return {
        "kind": restriction.kind,
        "field": restriction.field,
        "required": restriction.required,
    }


def _filters(trigger: Trigger, shape: Shape) -> Iterator[Json]:
    """Yield the offered filters that have a closed set of values.

    Zapier's guidelines want few inputs, each a choice; comparing free values is the
    work of Filter by Zapier. A filter with a single value would not filter anything.
    """
    fields = dict(flatten(shape))
    for path in trigger.filters:
        field = fields.get(path)
        choices = _choices(field) if field else ()
        if field and len(choices) > 1:
            yield {
                "key": path.replace(".", "_"),
                "field": path,
                "label": title_case(field.label.en),
                "help": field.help.en if field.help else None,
                "choices": [{"value": one.value, "label": one.label.en} for one in choices],
            }


def _choices(field: Field) -> tuple[Choice, ...]:
    return _BOOLEANS if field.type is FieldType.BOOLEAN and not field.choices else field.choices
