"""Whether an account can use a trigger now, and if not, why."""

from app.core.accounts import Account
from app.core.catalogs import Catalog, Trigger
from app.core.fields import Text

_OTHER_PRODUCT = Text(
    en="This account does not use the product that this trigger belongs to.",
    fr="Ce compte n’utilise pas le produit auquel appartient ce déclencheur.",
    ja="このアカウントは、このトリガーが属する製品を利用していません。",
)


def has_feature(account: Account, catalog: Catalog, feature: str) -> bool:
    """Return whether a feature is on: the account's own setting, else the default."""
    default = catalog.features[feature].default
    return bool(account.features.get(feature, default))


def unavailable_reason(account: Account, catalog: Catalog, trigger: Trigger) -> Text | None:
    """Return why the account cannot use the trigger, or None when it can."""
    if not account.uses_catalog(catalog.key):
        return _OTHER_PRODUCT
    for requirement in trigger.requires:
        if not has_feature(account, catalog, requirement.feature):
            return requirement.reason
    return None
