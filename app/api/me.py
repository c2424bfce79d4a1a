"""Who am I?"""

from app import __version__
from app.api.auth import Access
from app.api.current import caller, context
from app.api.schemas.keys import MeSchema
from app.api.section import Section
from app.core.jsontypes import Json
from app.services.keys import describe_caller

section = Section("Me", "Whom an API key speaks for.")


@section.get("/me")
@section.access(Access.ANY_KEY)
@section.response(200, MeSchema)
def get_me() -> Json:
    """Say whom the key speaks for.

    Platforms call this to test a connection, and show `label` as its name.
    """
    key, account = describe_caller(context(), caller())
    return {
        "scope": key.scope,
        "key": key,
        "account": account,
        "label": key.name if account is None else account.name,
        "version": __version__,
    }
